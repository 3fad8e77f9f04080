package conn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

func TestSchema(t *testing.T) {
	inv := Schema{Tables: map[string]TableInfo{}, Functions: map[string]FunctionInfo{}, Views: map[string]bool{}}
	err := inv.read("db", `{"Databases":{"db":{"Name":"db","Tables":{"T":{"Name":"T","Folder":"tvmexport","OrderedColumns":[
		{"Name":"Records","Type":"System.Object","CslType":"dynamic"},{"Name":"At","Type":"System.DateTime"},{"Name":"IsX","Type":"System.SByte","CslType":"bool"}]}},
		"MaterializedViews":{"V":{}}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := TableInfo{Columns: []kql.Column{{Name: "Records", Kind: "dynamic"}, {Name: "At", Kind: "datetime"}, {Name: "IsX", Kind: "bool"}}, Folder: "tvmexport"}
	if diff := cmp.Diff(want, inv.Tables["T"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !inv.Views["V"] {
		t.Error("the view is missing")
	}
}

func FuzzSchema(f *testing.F) {
	f.Add(`{"Databases":{"db":{"Tables":{"T":{"OrderedColumns":[{"Name":"A"}]}}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		inv := Schema{Tables: map[string]TableInfo{}, Functions: map[string]FunctionInfo{}, Views: map[string]bool{}}
		if err := inv.read("db", text); err != nil && !strings.Contains(err.Error(), "db") {
			t.Errorf("the error does not name the database: %v", err)
		}
	})
}
