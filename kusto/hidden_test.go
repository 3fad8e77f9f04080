package kusto

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// secured puts row-level security on a table that shows the rows where is true of.
func secured(s stage, table, where string) {
	s.Helper()
	s.mustAdmin(fmt.Sprintf(`.alter table %s policy row_level_security enable "%[1]s | where %s"`, table, where))
}

func (s stage) mustAdmin(text string) {
	s.Helper()
	if _, err := s.emulator.Command(s.Context(), "", text); err != nil {
		s.Fatalf("%s: %v", text, err)
	}
}

// Rows that a policy hides stop every decision that depends on visible rows. The
// error names policy and table.
func TestHiddenRowsStopDecisions(t *testing.T) {
	for _, table := range []string{kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable, "TRaw", "TTyped", "TLanding"} {
		t.Run(table, func(t *testing.T) {
			onStage(t, func(s stage) {
				of := hiddenWorld(s)
				if failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of}); err != nil || failed["T"] != nil {
					t.Fatal(failed, err)
				}
				secured(s, table, "false")
				time.Sleep(2 * visibility.HidingAge)
				failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of})
				if err == nil {
					err = failed["T"]
				}
				var e *tvmexport.Error
				if !errors.As(err, &e) || e.Cause != tvmexport.Permission || e.Action != tvmexport.Stop ||
					!strings.Contains(err.Error(), "the policy row_level_security of table "+table+" hides 2 of its 2 rows") || !strings.Contains(e.Hint, ".delete table "+table+" policy row_level_security") {
					t.Errorf("%v", err)
				}
				for name, ask := range hiddenQuestions(s.client, of) {
					if !strings.Contains(" "+asks[name]+" ", " "+table+" ") {
						continue
					}
					if err := ask(s.Context()); err == nil || !strings.Contains(err.Error(), "row_level_security of table "+table) {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		})
	}
}

// asks are the tables from which each question is answered.
var asks = map[string]string{
	"Orders":  kql.ConfigurationTable,
	"History": kql.RunsTable + " " + kql.PartitionsTable,
	"Runs":    kql.RunsTable, "Status": kql.RunsTable + " " + kql.ConfigurationTable,
	"Leftovers": "TLanding", "Hours": kql.RunsTable + " TTyped", "State": kql.RunsTable + " TTyped",
	"CountMissing": kql.RunsTable + " TTyped TLanding", "Refill": "TRaw TTyped",
}

func hiddenQuestions(c *Client, of tvmexport.Table) map[string]func(context.Context) error {
	tables := []tvmexport.Table{of}
	return map[string]func(context.Context) error{
		"Orders":  func(ctx context.Context) error { _, err := c.Orders(ctx); return err },
		"History": func(ctx context.Context) error { _, err := c.History(ctx, tables); return err },
		"Runs":    func(ctx context.Context) error { _, _, err := c.Reports().Runs(ctx, 5); return err },
		"Status":  func(ctx context.Context) error { _, err := c.Reports().Status(ctx); return err },
		"Leftovers": func(ctx context.Context) error {
			_, err := c.OrphanedBatches(ctx, tables, map[string]tvmexport.History{}, time.Now().Add(-time.Hour))
			return err
		},
		"Hours": func(ctx context.Context) error {
			_, err := c.HourlyCounts(ctx, of, tvmexport.Window{})
			return err
		},
		"State": func(ctx context.Context) error {
			_, err := c.State(ctx, tvmexport.CountQuery{Table: of, Bin: time.Hour})
			return err
		},
		"CountMissing": func(ctx context.Context) error {
			run := tvmexport.Run{ID: "20261123T051955Z-0a1b2c3d4e5f", Table: of}
			_, err := c.CountMissing(ctx, run, []tvmexport.BatchInfo{{ID: tvmexport.BatchID(run.ID + ".1")}})
			return err
		},
		"Refill": func(ctx context.Context) error { _, err := c.Backfill(ctx, of); return err },
	}
}

// hiddenWorld is a database as init makes it, with two rows in every table.
func hiddenWorld(s stage) tvmexport.Table {
	s.Helper()
	of := tvmexport.Table{
		Name: "T", Destination: "TRaw", Watermark: "Timestamp", LoadType: tvmexport.Incremental, Layout: tvmexport.Both,
		Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
	}
	if _, err := s.client.Setup().Init(s.Context(), []tvmexport.Table{of}, setup.Options{}); err != nil {
		s.Fatal(err)
	}
	inv, err := s.client.conn.Schema(s.Context(), "test", false)
	if err != nil {
		s.Fatal(err)
	}
	for _, name := range []string{kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable, "TRaw", "TTyped", "TLanding"} {
		columns := inv.Tables[name].Columns
		if len(columns) == 0 {
			s.Fatalf("no table %s", name)
		}
		nulls := make([]string, len(columns))
		for i, k := range columns {
			nulls[i] = k.Kind + "(null)"
			if k.Kind == "string" {
				nulls[i] = `""`
			}
		}
		have, err := s.client.publisher.Visible.SeenOf(s.Context(), "test", "", name)
		if err != nil {
			s.Fatal(err)
		}
		for range 2 - have {
			s.mustAdmin(".set-or-append " + name + " <| print " + strings.Join(nulls, ", "))
		}
	}
	return of
}

// A policy that shows this sign-in everything, one that is switched off, rows
// that were deleted, merged or are on their way: none of it is an alarm.
func TestHiddenRowsNoFalseAlarm(t *testing.T) {
	onStage(t, func(s stage) {
		of := hiddenWorld(s)
		ready := func(what string) {
			t.Helper()
			time.Sleep(2 * visibility.HidingAge)
			if failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of}); err != nil || failed["T"] != nil {
				t.Errorf("%s: %v %v", what, failed, err)
			}
		}
		secured(s, "TTyped", "true")
		ready("a policy that hides nothing")
		s.mustAdmin(".set-or-append TTyped <| TTyped")
		s.mustAdmin(".delete table TTyped records <| TTyped | take 1")
		ready("a deleted row")
		s.mustAdmin(`.alter table TRaw policy row_level_security disable "TRaw | where false"`)
		ready("a policy that is switched off")
		s.mustAdmin(".clear table TTyped data")
		ready("an empty table")
	})
}

// While rows come and go between the counts nothing is said to be hidden; the
// wait is bounded.
func TestHiddenRowsWhileExtentsChange(t *testing.T) {
	held := []int64{5, 3, 4}
	f := &conntest.Fake{}
	calls := 0
	f.Answer = func(text string) conntest.Reply {
		if strings.HasPrefix(text, ".show table T extents") {
			n := held[calls%len(held)]
			calls++
			return conntest.Reply{Columns: []kql.Column{{Name: "Rows", Kind: "long"}}, Rows: [][]any{{n}}}
		}
		return conntest.Reply{Columns: []kql.Column{{Name: "Rows", Kind: "long"}}, Rows: [][]any{{3}}}
	}
	c := connect(t, f)
	if err := c.publisher.Visible.CountsAll(t.Context(), visibility.Policies{}, "check", "", "T"); err != nil {
		t.Error(err)
	}
}

// Without the right to read policies, tables are counted.
func TestHiddenRowsWithoutPolicies(t *testing.T) {
	onStage(t, func(s stage) {
		of := hiddenWorld(s)
		secured(s, "TTyped", "false")
		time.Sleep(2 * visibility.HidingAge)
		if _, err := s.emulator.Faults().Add(faults.Rule{Endpoint: faults.KustoMgmt, Match: "policy row_level_security", Status: 403}); err != nil {
			t.Fatal(err)
		}
		failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of})
		if err != nil || failed["T"] == nil || !strings.Contains(failed["T"].Error(), "table TTyped shows 0 rows, and its extents hold 2") {
			t.Errorf("%v %v", failed, err)
		}
	})
}

func TestRestrictedViewIsNamed(t *testing.T) {
	onStage(t, func(s stage) {
		of := hiddenWorld(s)
		s.mustAdmin(".alter table TTyped policy restricted_view_access true")
		time.Sleep(2 * visibility.HidingAge)
		failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of})
		var e *tvmexport.Error
		if err != nil || !errors.As(failed["T"], &e) || e.Cause != tvmexport.Permission ||
			!strings.Contains(e.Error(), "the policy restricted_view_access of table TTyped") || !strings.Contains(e.Hint, "unrestrictedviewers") {
			t.Errorf("%v %v", failed, err)
		}
		at := s.emulator.Endpoints()
		s.mustAdmin(s.admin.Inspect().AddRole("unrestrictedviewers", "aadapp="+at.ClientID+";"+at.TenantID))
		time.Sleep(2 * visibility.HidingAge)
		if failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{of}); err != nil || failed["T"] != nil {
			t.Errorf("%v %v", failed, err)
		}
	})
}

func TestSwitchedOn(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "null": false, "true": true, "false": false,
		`{"IsEnabled":true,"Query":"T"}`: true, `{"IsEnabled": false}`: false, `{}`: true, `?`: true,
	} {
		if got := visibility.SwitchedOn(text); got != want {
			t.Errorf("%q is %t", text, got)
		}
	}
	for entity, want := range map[string]string{"[db].[T]": "T", "T": "T", "[a.b].[T]": "T"} {
		if got := kql.TableOf(entity); got != want {
			t.Errorf("%q is of %q", entity, got)
		}
	}
}
