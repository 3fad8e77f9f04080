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
