package hunting

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

// queriesOf returns every form of query for a table.
func queriesOf(table tvmexport.Table) []string {
	window := tvmexport.Window{From: noon, To: noon.Add(time.Hour)}
	asked := []tvmexport.Slice{{Table: table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}}
	var counts []tvmexport.CountQuery
	if len(table.Key.Column)+len(table.Key.Hashed) > 0 {
		asked = append(asked,
			tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{"0", "1", "20", "21", "2~"}},
			tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{"3f"}})
		counts = append(counts, tvmexport.CountQuery{Table: table, Depth: 3})
	}
	asked = append(asked, tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{"#a", "#b"}})
	counts = append(counts, tvmexport.CountQuery{Table: table, Within: "#", Depth: 2})
	var p phrasing
	var out []string
	var counted []union
	if table.Watermark != "" {
		asked = append(asked, tvmexport.Slice{Table: table, Window: window, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}},
			tvmexport.Slice{Table: table, Window: tvmexport.Window{Null: true}, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}})
		counted = append(counted,
			p.bins(tvmexport.CountQuery{Table: table, Window: tvmexport.Window{From: noon}, Bin: time.Hour, Nulls: true}, mark),
			p.bins(tvmexport.CountQuery{Table: table, Window: window, Within: "#", Bin: time.Second}, mark))
	}
	for _, s := range asked {
		out = append(out, p.fetch(s, mark, dialect{}.asText(table)))
	}
	for _, q := range counts {
		counted = append(counted, p.parts(q, mark), p.all(q, mark))
	}
	for _, u := range counted {
		out = append(out, u.text("counted"))
	}
	out = append(out, joinedUnions(counted))
	return append(out, columnsQuery(table.Name, mark))
}

var call = regexp.MustCompile(`strcat\(([^()]|\([^()]*\))*\)`)

// huntingTables are the catalogue's tables of Advanced Hunting.
func huntingTables() []string {
	return slices.DeleteFunc(catalog.Names(), func(name string) bool { return catalog.SourceOf(name) != catalog.Hunting })
}

// The queries of every known table keep to the limits of the language. Where
// TVMEXPORT_RECORD_KQL names a folder they go there, for Microsoft's own parser.
func TestQueriesOfTheCatalogue(t *testing.T) {
	var record bytes.Buffer
	encoder := json.NewEncoder(&record)
	if err := encoder.Encode(map[string]string{"kind": "hunting", "text": schemasQuery(huntingTables(), mark)}); err != nil {
		t.Fatal(err)
	}
	for _, known := range huntingTables() {
		table, _ := catalog.Table(known)
		ingested := table
		ingested.Watermark = tvmexport.IngestionTime
		for _, q := range append(queriesOf(table), queriesOf(ingested)...) {
			if len(q) > 100_000 {
				t.Errorf("%s: a query of %d bytes; the body may have 1 MB", known, len(q))
			}
			for _, c := range call.FindAllString(q, -1) {
				if n := strings.Count(c, ", ") + 1; n > 64 {
					t.Errorf("%s: %d arguments in %.80s", known, n, c)
				}
			}
			if err := encoder.Encode(map[string]string{"kind": "hunting", "text": q}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if folder := os.Getenv("TVMEXPORT_RECORD_KQL"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "hunting-queries.ndjson"), record.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A slice of all partitions of the deepest plan is far from the service's limit.
func TestLongestQuery(t *testing.T) {
	var ps []tvmexport.Partition
	for _, a := range children("") {
		if a.Rest() {
			continue
		}
		for _, b := range children(a)[:16] {
			ps = append(ps, children(b)[:15]...) // one short of all, so that nothing collapses
		}
	}
	table, _ := catalog.Table("DeviceTvmSoftwareVulnerabilities")
	if q := (phrasing{}).fetch(tvmexport.Slice{Table: table, Partitions: ps}, mark, nil); len(q) > 50_000 || strings.Count(q, "substring") != 1 {
		t.Errorf("%d bytes", len(q))
	}
}
