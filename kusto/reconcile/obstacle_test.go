package reconcile

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

func TestObstacles(t *testing.T) {
	const hunting, export = "DeviceTvmSoftwareVulnerabilities", "TvmSoftwareVulnerabilities"
	pair, _ := catalog.PairOf(hunting)
	policies := func(of map[string]tvmexport.ColumnPolicy) func(string) tvmexport.ColumnPolicy {
		return func(table string) tvmexport.ColumnPolicy { return of[table] }
	}
	masked := tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId"}}
	for _, c := range []struct {
		name   string
		change func(k *known)
		want   []string // table and what to do, in turn
	}{
		{"none", func(*known) {}, nil},
		{"not configured", func(k *known) { delete(k.tables, export) }, []string{export, "tvmexport tables add TvmSoftwareVulnerabilities"}},
		{"neither is", func(k *known) { clear(k.tables) }, []string{
			hunting, "tvmexport tables add DeviceTvmSoftwareVulnerabilities", export, "tvmexport tables add TvmSoftwareVulnerabilities",
		}},
		{"paused", func(k *known) { set(k, hunting, func(s *ledger.TableStatus) { s.Order.Active = false }) }, []string{hunting, "tvmexport tables resume DeviceTvmSoftwareVulnerabilities"}},
		{"bad row", func(k *known) { set(k, hunting, func(s *ledger.TableStatus) { s.Order.Err = errors.New("x") }) }, []string{hunting, "append a corrected row to MigrationConfiguration"}},
		{"events", func(k *known) { set(k, export, func(s *ledger.TableStatus) { s.Order.Load = tvmexport.Incremental }) }, []string{export, "append a row with the LoadType Snapshot to MigrationConfiguration"}},
		{"no run", func(k *known) { set(k, export, func(s *ledger.TableStatus) { s.Last = nil }) }, []string{export, "tvmexport run --table TvmSoftwareVulnerabilities"}},
		{"no function", func(k *known) { k.prefix = "other_" }, []string{hunting, "tvmexport init --table DeviceTvmSoftwareVulnerabilities", export, "tvmexport init --table TvmSoftwareVulnerabilities"}},
		{"a function of others", func(k *known) { k.functions["hunt_"+export+"AsOf"] = conn.FunctionInfo{Folder: "mine"} }, []string{export, "set functions.prefix, then tvmexport init --table TvmSoftwareVulnerabilities"}},
		{"a key column is excluded", func(k *known) {
			k.policy = policies(map[string]tvmexport.ColumnPolicy{export: {Exclude: []string{"SoftwareVendor"}}})
		}, []string{export, "publish the column, see tables.TvmSoftwareVulnerabilities in the configuration"}},
		{"another column is excluded", func(k *known) {
			k.policy = policies(map[string]tvmexport.ColumnPolicy{export: {Exclude: []string{"DeviceName"}}, hunting: {Pseudonymise: []string{"DeviceName"}}})
		}, nil},
		{"pseudonyms on one side", func(k *known) { k.policy = policies(map[string]tvmexport.ColumnPolicy{hunting: masked}) }, []string{hunting, "pseudonymise it in all tables of the pair, or in none"}},
		{"pseudonyms on both sides", func(k *known) {
			k.policy = policies(map[string]tvmexport.ColumnPolicy{hunting: masked, export: masked})
		}, nil},
		{"pseudonyms of CVEs", func(k *known) {
			cves := tvmexport.ColumnPolicy{Pseudonymise: []string{"CveId"}}
			k.policy = policies(map[string]tvmexport.ColumnPolicy{hunting: cves, export: cves})
		}, nil},
		{"all columns are shown", func(k *known) { set(k, export, func(s *ledger.TableStatus) { s.Last.Shown = text(pair.Key...) }) }, nil},
		{"the source has dropped a column", func(k *known) { set(k, export, func(s *ledger.TableStatus) { s.Last.Shown = text(pair.Key[1:]...) }) }, []string{
			export, "tvmexport run --table TvmSoftwareVulnerabilities publishes it, if the source has it",
		}},
		{"a column that is not shown is excluded", func(k *known) {
			set(k, export, func(s *ledger.TableStatus) { s.Last.Shown = text(pair.Key[1:]...) })
			k.policy = policies(map[string]tvmexport.ColumnPolicy{export: {Exclude: []string{"DeviceId"}}})
		}, []string{export, "publish the column, see tables.TvmSoftwareVulnerabilities in the configuration"}},
		{"one column of each kind", func(k *known) {
			k.policy = policies(map[string]tvmexport.ColumnPolicy{hunting: masked, export: {Exclude: []string{"CveId"}}})
		}, []string{
			hunting, "pseudonymise it in all tables of the pair, or in none", export, "publish the column, see tables.TvmSoftwareVulnerabilities in the configuration",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := known{tables: map[string]ledger.TableStatus{}, functions: map[string]conn.FunctionInfo{}, prefix: "hunt_", policy: policies(nil)}
			for _, name := range pair.Tables() {
				k.tables[name] = ledger.TableStatus{Order: tvmexport.Order{Table: name, Active: true, Load: tvmexport.Snapshot}, Last: &tvmexport.Committed{}}
				k.functions["hunt_"+name+"AsOf"] = conn.FunctionInfo{Folder: kql.Folder}
			}
			c.change(&k)
			var got []string
			for _, o := range k.obstacles(pair) {
				got = append(got, o.Table, o.Fix)
				if o.Why == "" {
					t.Errorf("%s: no reason", o.Table)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// text are columns of text.
func text(names ...string) (out []tvmexport.Column) {
	for _, name := range names {
		out = append(out, tvmexport.Column{Name: name, Type: "string"})
	}
	return out
}

// set changes what is known of a table.
func set(k *known, table string, change func(*ledger.TableStatus)) {
	s := k.tables[table]
	change(&s)
	k.tables[table] = s
}

// The side with the newer state is the later one; the times of commits do not matter.
func TestLater(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	side := func(state, commit time.Duration) Side { return Side{At: at.Add(commit), StateAt: at.Add(state)} }
	for _, c := range []struct {
		name    string
		hunting Side
		exports []Side
		want    bool
	}{
		{"hunting", side(0, 0), []Side{side(-time.Hour, time.Minute)}, true},
		{"the export", side(-time.Hour, time.Minute), []Side{side(0, 0)}, false},
		{"one of two exports is older", side(0, 0), []Side{side(time.Hour, 0), side(-time.Hour, 0)}, true},
		{"at once", side(0, 0), []Side{side(0, 0)}, false},
		{"no time of the state", Side{At: at.Add(time.Minute)}, []Side{side(0, time.Hour)}, true},
	} {
		if got := later(c.hunting, c.exports); got != c.want {
			t.Errorf("%s: hunting is later: %t", c.name, got)
		}
	}
}
