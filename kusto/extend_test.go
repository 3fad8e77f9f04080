package kusto

import (
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// If any column of the ledger is missing or in another position, init brings the
// table into the form that rows are written in, and CheckTables says so.
func TestLedgersOfOlderVersions(t *testing.T) {
	for table, want := range map[string][]kql.Column{kql.RunsTable: kql.RunsColumns, kql.PartitionsTable: kql.PartitionsColumns} {
		for i, gone := range want {
			found := slices.Delete(slices.Clone(want), i, i+1)
			text := setup.Extension(table, found, want)
			if last := i == len(want)-1; last != strings.HasPrefix(text, ".alter-merge") || !last && text != ".alter table "+table+" ("+kql.Declaration(want)+")" {
				t.Errorf("%s without %s: %s", table, gone.Name, text)
			}
			err := setup.Unfit(table, conn.TableInfo{Columns: found, Folder: kql.Folder}, want)
			if e, ok := err.(*tvmexport.Error); !ok || !strings.HasPrefix(e.Hint, "run tvmexport init:") || !strings.Contains(e.Error(), gone.Name+":"+gone.Kind) {
				t.Errorf("%s without %s: %v", table, gone.Name, err)
			}
			moved := append(found, gone)
			if text := setup.Extension(table, moved, want); (text == "") != slices.Equal(moved, want) {
				t.Errorf("%s with %s at the end: %q", table, gone.Name, text)
			}
			changed := slices.Clone(want)
			changed[i].Kind = "guid"
			err = setup.Unfit(table, conn.TableInfo{Columns: changed, Folder: kql.Folder}, want)
			if e, ok := err.(*tvmexport.Error); !ok || !strings.Contains(e.Hint, "rename it") {
				t.Errorf("%s with another %s: %v", table, gone.Name, err)
			}
		}
		more := append(slices.Clone(want), kql.Column{Name: "Note", Kind: "string"})
		if text := setup.Extension(table, more, want); text != "" {
			t.Errorf("%s with a column more: %q", table, text)
		}
		if text := setup.Extension(table, more[1:], want); !strings.HasSuffix(text, ", Note:string)") {
			t.Errorf("%s with a column more and one less: %q, which loses data", table, text)
		}
		if err := setup.Unfit(table, conn.TableInfo{Columns: want[1:], Folder: "somebody's"}, want); !strings.Contains(err.Error(), "rename it") {
			t.Errorf("%s of somebody else: %v", table, err)
		}
	}
}

// TestSharedTablesKeepTheirShape: a table that the original system reads too keeps its
// columns, their types and their order. It gets only a column that it cannot do without.
func TestSharedTablesKeepTheirShape(t *testing.T) {
	longCount := append(slices.Clone(kql.AuditColumns[:4]), kql.Column{Name: "RecordCount", Kind: "long"})
	note := kql.Column{Name: "Note", Kind: "string"}
	for name, c := range map[string]struct {
		table       string
		found, want []kql.Column
		text        string
	}{
		"six columns":             {kql.ConfigurationTable, kql.NeededColumns, kql.ConfigurationColumns, ""},
		"six columns and another": {kql.ConfigurationTable, append(slices.Clone(kql.NeededColumns), note), kql.ConfigurationColumns, ""},
		"seven columns":           {kql.ConfigurationTable, kql.ConfigurationColumns, kql.ConfigurationColumns, ""},
		"no IsActive":             {kql.ConfigurationTable, kql.NeededColumns[:5], kql.ConfigurationColumns, ".alter-merge table MigrationConfiguration (IsActive:bool)"},
		"an audit with long":      {kql.AuditTable, longCount, kql.AuditColumns, ""},
		"an audit without counts": {kql.AuditTable, kql.AuditColumns[:4], kql.AuditColumns, ".alter-merge table MigrationAuditLog (RecordCount:int)"},
	} {
		if text := setup.Extension(c.table, c.found, c.want); text != c.text {
			t.Errorf("%s: %q, want %q", name, text, c.text)
		}
	}
	if err := setup.Unfit(kql.AuditTable, conn.TableInfo{Columns: longCount}, kql.AuditColumns); err != nil {
		t.Error(err)
	}
}
