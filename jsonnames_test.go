package tvmexport_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/jsonnames"
)

// jsonTypes are the types with JSON names, by the name that they have in the list of names, which outlives that of the Go type.
var jsonTypes = []struct {
	name  string
	value any
}{
	{"Manifest", tvmexport.Manifest{}},
	{"Column", tvmexport.Column{}},
	{"Unread", tvmexport.Unread{}},
	{"Publication", tvmexport.Publication{}},
	{"PublicationStep", tvmexport.PublicationStep{}},
	{"Losses", tvmexport.Losses{}},
	{"Run", tvmexport.Run{}},
	{"PartitionRecord", tvmexport.PartitionRecord{}},
	{"Origin", tvmexport.RunHeader{}},
	{"Slice", tvmexport.Slice{}},
	{"Window", tvmexport.Window{}},
}

// The ledger, landed batches and printed JSON have these names.
func TestJSONNames(t *testing.T) {
	var lines []string
	for _, j := range jsonTypes {
		lines = append(lines, jsonnames.Of(j.name, j.value)...)
	}
	jsonnames.Kept(t, "json_names", lines)
}

// Values of types that write themselves have these forms in the ledger.
func TestJSONForms(t *testing.T) {
	at := time.Date(2026, 11, 29, 13, 5, 7, 123456700, time.UTC)
	lines := []string{
		tvmexport.Fingerprint{Known: true, Sums: [3]int64{1, 0xabc, 1 << 40}}.String(),
		fmt.Sprintf("%q", tvmexport.Fingerprint{}.String()),
		tvmexport.NullWatermark,
	}
	for _, p := range []tvmexport.Partition{"", "3f", "3f~", "~", "3f#a0", "3f~#a"} {
		lines = append(lines, fmt.Sprintf("%q %q %t %q", p, p.Key(), p.Rest(), p.Base()))
	}
	for _, l := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental, tvmexport.FullThenIncr} {
		lines = append(lines, string(l))
	}
	for _, k := range []tvmexport.RunKind{tvmexport.FullRun, tvmexport.DeltaRun, tvmexport.LegacyRun} {
		lines = append(lines, string(k))
	}
	for _, l := range []tvmexport.Layout{tvmexport.RawOnly, tvmexport.TypedOnly, tvmexport.Both} {
		lines = append(lines, string(l))
	}
	table := tvmexport.Table{
		Name: "T", LoadType: tvmexport.Incremental, Watermark: "Timestamp", Key: tvmexport.Key{Column: "DeviceId"},
		Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}}, Volatile: []string{"N"},
	}
	lines = append(lines, table.Landing(), table.Typed(), table.Refilling(), "definition "+table.Definition())
	table.Policy = tvmexport.ColumnPolicy{Exclude: []string{"A"}, Pseudonymise: []string{"B"}, Key: "k"}
	lines = append(lines, "definition "+table.Definition())
	for _, w := range []tvmexport.Window{{}, {From: at}, {From: at, To: at.Add(time.Hour)}, {Null: true}} {
		text, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	jsonnames.Kept(t, "json_forms", lines)
}

// Every exported type with JSON names is in jsonTypes.
func TestJSONTypesAreComplete(t *testing.T) {
	var known []string
	for _, j := range jsonTypes {
		known = append(known, reflect.TypeOf(j.value).Name())
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || !bytes.Contains(text, []byte(`json:"`)) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok && s.Name.IsExported() && hasJSONNames(s) && !slices.Contains(known, s.Name.Name) {
				t.Errorf("%s: the type %s has JSON names; add it to jsonTypes", file, s.Name)
			}
			return true
		})
	}
}

func hasJSONNames(s *ast.TypeSpec) bool {
	fields, ok := s.Type.(*ast.StructType)
	return ok && slices.ContainsFunc(fields.Fields.List, func(f *ast.Field) bool {
		return f.Tag != nil && strings.Contains(f.Tag.Value, `json:"`) && !strings.Contains(f.Tag.Value, `json:"-"`)
	})
}
