package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines is the rows of a table as text, in the order they lie.
func (b *bench) lines(table string) []string {
	b.Helper()
	r, ok := b.Catalog("db", root).Table("", table)
	if !ok {
		b.Fatalf("no table %s", table)
	}
	var all []string
	for row, err := range r.Scan(b.Context(), kqlAll) {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, text(row[:len(r.Columns())]))
	}
	return all
}

func TestIngestInline(t *testing.T) {
	const mapping = `[{"column":"a","Properties":{"Path":"$.x"}},{"column":"d","Properties":{"Path":"$"}},{"column":"s","Properties":{"ConstValue":"c"}}]`
	tests := []struct {
		name, csl string
		want      []string
	}{
		{"csv", ".ingest inline into table T <|\n1,one,{}\n2,\"t,wo\",\n", []string{"1 | one | {}", "2 | t,wo | null"}},
		{"brackets", ".ingest inline into table T [3,three,[1]]", []string{"3 | three | [1]"}},
		{"a misfit is null", ".ingest inline into table T <| x,one,{}", []string{"null | one | {}"}},
		{"header", ".ingest inline into table T with (ignoreFirstRecord=true) <| a,s,d\n1,one,", []string{"1 | one | null"}},
		{"json by name", `.ingest inline into table T with (format="json") <| {"a":1,"s":"x"}` + "\n{bad\n" + `{"s":"y"}`, []string{"1 | x | null", "null | y | null"}},
		{"json by reference", `.ingest inline into table T with (format="multijson", ingestionMappingReference="M") <| {"x":5}`, []string{`5 | c | {"x":5}`}},
		{"json by inline mapping", `.ingest inline into table T with (format="json", ingestionMapping='` + mapping + `') <| {"x":6}`, []string{`6 | c | {"x":6}`}},
	}
	for _, tt := range tests {
		b := newBench(t)
		b.run(`.create table T (a:long, s:string, d:dynamic)`)
		b.run(`.create database db ingestion json mapping "M" '` + mapping + `'`)
		if got := b.cells(tt.csl, "HasErrors"); !cmp.Equal(got, []string{"false"}) {
			t.Errorf("%s: answer %v", tt.name, got)
		}
		if diff := cmp.Diff(tt.want, b.lines("T")); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestIngestInlineRefuses(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long, s:string)`)
	b.fails(root, `.ingest inline into table T with (format="json", ingestionMappingReference="Nope") <| {}`, CodeMappingNotFound, "'Nope'")
	b.fails(root, `.ingest inline into table T with (format="multijson") <| {"a":`, "BadRequest_InvalidBlob", "")
	b.fails(root, `.ingest inline into table T with (format="parquet") <| x`, "BadRequest_FormatNotSupported", "parquet")
	b.fails(root, `.ingest inline into table Nope <| 1`, CodeTableNotFound, "'Nope'")
	b.fails(root, `.ingest inline into table T with (shape="x") <| 1`, CodeBadRequest, "The property 'shape' is not known")
	b.wantValues("T")
	b.run(`.ingest inline into table T with (tags='["ingest-by:a"]', ingestIfNotExists='["a"]') <| 1,x`)
	b.run(`.ingest inline into table T with (tags='["ingest-by:a"]', ingestIfNotExists='["a"]') <| 2,x`)
	b.wantValues("T", 1)
	if _, err := b.Mapping("db", "T", "multijson", "Nope"); err == nil {
		t.Error("a mapping that is not there")
	}
	b.run(`.create table T ingestion json mapping "M" '[{"column":"a","Properties":{"Path":"$.x"}}]'`)
	if _, err := b.Mapping("db", "T", "MultiJson", "M"); err != nil {
		t.Error(err)
	}
}
