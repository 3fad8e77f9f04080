package kusto

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// TestEmulatorStates is the history of a snapshot table in its typed form: full
// runs, runs that replace partitions, and every state in between.
func TestEmulatorStates(t *testing.T) {
	onStage(t, func(s stage) {
		table := softwareTable
		table.NaturalKey = []string{"DeviceId"}
		s.setUp(table)
		var states []state
		previous := ""
		step := func(id string, kind tvmexport.RunKind, sees string, parts map[tvmexport.Partition][]string) {
			s.Helper()
			time.Sleep(24 * time.Hour)
			previous = string(s.publishParts(table, id, previous, kind, parts))
			time.Sleep(time.Minute)
			states = append(states, state{at: s.now(), committed: s.committedAt(id), run: id, rows: strings.Fields(sees)})
			if got := s.devices("DeviceTvmSoftwareInventory"); got != sees {
				s.Errorf("after %s readers see %s, want %s", id, got, sees)
			}
		}
		early := s.now()
		step("20260101T000000Z-1", tvmexport.FullRun, "30:1 31:1 41:1 50:1", map[tvmexport.Partition][]string{"3": {"30:1", "31:1"}, "4": {"41:1"}, "5": {"50:1"}})
		step("20260102T000000Z-2", tvmexport.DeltaRun, "30:2 31:1 41:1", map[tvmexport.Partition][]string{"3": {"30:2", "31:1"}, "5": nil})
		step("20260103T000000Z-3", tvmexport.DeltaRun, "30:2 31:1 41:1", nil)
		step("20260104T000000Z-4", tvmexport.DeltaRun, "30:3 41:2 41:2 60:1", map[tvmexport.Partition][]string{"3": {"30:3"}, "4": {"41:2", "41:2"}, "6": {"60:1"}})
		step("20260105T000000Z-5", tvmexport.FullRun, "30:3 41:2", map[tvmexport.Partition][]string{"30": {"30:3"}, "41": {"41:2"}, "50": nil, "60": nil})
		step("20260106T000000Z-6", tvmexport.DeltaRun, "30:3", map[tvmexport.Partition][]string{"41": nil})
		for i, from := range states {
			if got := s.devices("DeviceTvmSoftwareInventoryAsOf(" + kql.Datetime(from.at) + ")"); got != strings.Join(from.rows, " ") {
				s.Errorf("as of %s: %s, want %s", from.at, got, from.rows)
			}
			for j := i; j < len(states); j++ {
				got := s.ask(fmt.Sprintf("DeviceTvmSoftwareInventoryChanges(%s, %s) | project Row = strcat(Change, ' ', DeviceId, ':', Count, iff(isnull(Before), '', strcat(' before ', tostring(Before.Count))), ' in ', RunId) | order by Row asc", kql.Datetime(from.at), kql.Datetime(states[j].at)))
				if d := cmp.Diff(changesBetween(states[i:j+1]), got, cmpopts.EquateEmpty()); d != "" {
					s.Errorf("from %s to %s (-want +got):\n%s", from.run, states[j].run, d)
				}
			}
		}
		oldest := "no run was committed at or before " + written(early) + "; the oldest time that can be asked for is "
		s.refuses("DeviceTvmSoftwareInventoryAsOf("+kql.Datetime(early)+")", oldest+written(states[0].committed))
		s.refuses("DeviceTvmSoftwareInventoryChanges("+kql.Datetime(early)+", now())", oldest+written(states[0].committed))
		if got := s.devices("DeviceTvmSoftwareInventoryAsOf(" + kql.Datetime(states[0].committed) + ")"); got != strings.Join(states[0].rows, " ") {
			s.Errorf("as of the oldest time: %s, want %s", got, states[0].rows)
		}

		// The first full run expires: what depends on it is refused, the rest is not.
		_, err := s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: `.drop extents <| .show table DeviceTvmSoftwareInventoryTyped extents where tags has "drop-by:tvmexport:20260101T000000Z-1"`})
		s.must(err)
		for i, want := range states {
			of := "DeviceTvmSoftwareInventoryAsOf(" + kql.Datetime(want.at) + ")"
			if i < 4 {
				s.refuses(of, "rows of the snapshot of "+written(want.at)+" are gone from DeviceTvmSoftwareInventoryTyped, by its retention or by hand; the oldest time that can be asked for is "+written(states[4].committed))
			} else if got := s.devices(of); got != strings.Join(want.rows, " ") {
				s.Errorf("as of %s: %s, want %s", want.at, got, want.rows)
			}
		}
		s.refuses("DeviceTvmSoftwareInventoryAsOf("+kql.Datetime(early)+")", oldest+written(states[4].committed))
	})
}

// state is what readers see after a run.
type state struct {
	at, committed time.Time
	run           string
	rows          []string // DEVICE:COUNT, sorted
}

// committedAt is when the ledger says that a run was committed.
func (s stage) committedAt(run string) time.Time {
	s.Helper()
	said := s.ask("ExportRuns | where RunId == " + kql.Literal(run) + ` and State == "committed" | project Row = tostring(At)`)
	at, err := time.Parse(time.RFC3339Nano, said[0])
	s.must(err)
	return at
}

// written is a time as the language writes it.
func written(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// changesBetween is the difference of the first and the last of the states, and
// for each row the last run that changed how often it was there.
func changesBetween(states []state) []string {
	old, now := tally(states[0].rows), tally(states[len(states)-1].rows)
	device := func(row string) string { d, _, _ := strings.Cut(row, ":"); return d }
	single := func(of map[string]int, d string) (row string, ok bool) {
		n := 0
		for r, copies := range of {
			if device(r) == d {
				row, n = r, n+copies
			}
		}
		return row, n == 1
	}
	showed := func(row string) string {
		run := ""
		for i := 1; i < len(states); i++ {
			if tally(states[i].rows)[row] != tally(states[i-1].rows)[row] {
				run = states[i].run
			}
		}
		return run
	}
	var out []string
	for row := range tally(append(slices.Clone(states[0].rows), states[len(states)-1].rows...)) {
		was, oldOne := single(old, device(row))
		_, nowOne := single(now, device(row))
		change := "added "
		switch n := now[row] - old[row]; {
		case n != 0 && oldOne && nowOne:
			if n > 0 {
				out = append(out, "modified "+row+" before "+strings.TrimPrefix(was, device(row)+":")+" in "+showed(row))
			}
		case n < 0:
			change = "removed "
			fallthrough
		default:
			for range max(n, -n) {
				out = append(out, change+row+" in "+showed(row))
			}
		}
	}
	slices.Sort(out)
	return out
}

func tally(rows []string) map[string]int {
	out := map[string]int{}
	for _, r := range rows {
		out[r]++
	}
	return out
}

// publishParts makes a run of rows "DEVICE:COUNT" by partition, and commits it.
func (s stage) publishParts(t tvmexport.Table, id, previous string, kind tvmexport.RunKind, parts map[tvmexport.Partition][]string) tvmexport.RunID {
	s.Helper()
	documents := map[tvmexport.Partition][]string{}
	for part, list := range parts {
		documents[part] = nil
		for _, row := range list {
			device, n, _ := strings.Cut(row, ":")
			documents[part] = append(documents[part], `{"DeviceId":"`+device+`","Count":`+n+`}`)
		}
	}
	return s.publishDocuments(runOfTable(t, id, previous, kind), documents)
}

func layoutOf(t tvmexport.Table) tvmexport.Layout {
	if t.Layout == "" {
		return tvmexport.Both
	}
	return t.Layout
}

// publishDocuments makes a run of rows by partition, and commits it.
func (s stage) publishDocuments(run tvmexport.Run, parts map[tvmexport.Partition][]string) tvmexport.RunID {
	s.Helper()
	run.StartedAt = s.now()
	p := tvmexport.Publication{Run: run, Layout: layoutOf(run.Table), Shown: run.Table.Visible()}
	var batches []tvmexport.Batch
	for part, rows := range parts {
		p.Partitions = append(p.Partitions, tvmexport.PartitionRecord{Partition: part, Rows: int64(len(rows))})
		if len(rows) == 0 {
			continue
		}
		b := batchOf(run, len(batches)+1, part, rows...)
		batches = append(batches, b)
		p.Rows += b.Rows
		p.Steps = append(p.Steps, tvmexport.PublicationStep{Batches: []tvmexport.BatchID{b.ID}, Rows: b.Rows})
	}
	s.land(run, batches...)
	out, err := s.client.Publish(s.Context(), p)
	s.must(err)
	rows := out.Rows
	if rows != p.Rows {
		s.Errorf("run %s published %d rows, want %d", run.ID, rows, p.Rows)
	}
	s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: string(run.ID), Rows: rows, Partitions: p.Partitions}))
	return run.ID
}

// devices lists rows as publishParts takes them.
func (s stage) devices(of string) string {
	s.Helper()
	return strings.Join(s.ask(of+" | project Row = strcat(DeviceId, ':', Count) | order by Row asc"), " ")
}

func (s stage) now() time.Time {
	return s.emulator.Tenant().Now().Truncate(100 * time.Nanosecond) // the clock of the database
}

func (s stage) refuses(text, says string) {
	s.Helper()
	_, err := s.client.conn.Query(s.Context(), conn.Statement{Op: "ask", Text: text})
	if err == nil || !strings.Contains(err.Error(), says) {
		s.Errorf("%s: %v, want %q", text, err, says)
	}
}

// TestEmulatorDrift: a column that changes its type, one that appears and one
// that is lost, with rows from before and after.
func TestEmulatorDrift(t *testing.T) {
	onStage(t, func(s stage) {
		table := softwareTable
		s.setUp(table)
		fit := func(want ...string) {
			s.Helper()
			changes, err := s.client.SyncSchema(s.Context(), table)
			s.must(err)
			if d := cmp.Diff(want, changes); d != "" {
				s.Errorf("changes (-want +got):\n%s", d)
			}
		}
		export := func(id, previous string, kind tvmexport.RunKind, rows ...string) time.Time {
			s.Helper()
			run := runOfTable(table, id, previous, kind)
			run.StartedAt = s.now()
			s.export(run, batchOf(run, 1, "3f", rows...))
			time.Sleep(time.Minute)
			return s.now()
		}
		fit()
		first := export("20260101T000000Z-1", "", tvmexport.FullRun, `{"DeviceId":"3f01","Count":7,"Score":1.5,"CveTags":["a"]}`)

		table.Columns = typed("DeviceId", "string", "IsOld", "bool", "Count", "real", "CveTags", "dynamic", "Publisher", "string")
		fit("column Count_real:real was added to table DeviceTvmSoftwareInventoryTyped", "column Publisher:string was added to table DeviceTvmSoftwareInventoryTyped",
			"function DeviceTvmSoftwareInventory was updated", "function DeviceTvmSoftwareInventoryAsOf was updated", "function DeviceTvmSoftwareInventoryChanges was updated")
		fit()
		second := export("20260102T000000Z-2", "20260101T000000Z-1", tvmexport.FullRun, `{"DeviceId":"3f01","Count":7.5,"CveTags":["a"],"Publisher":"p"}`)

		shows := func(of string, want ...string) {
			s.Helper()
			if d := cmp.Diff(want, s.ask(of)); d != "" {
				s.Errorf("%s (-want +got):\n%s", of, d)
			}
		}
		shows("DeviceTvmSoftwareInventory | getschema | project strcat(ColumnName, ':', ColumnType)",
			"DeviceId:string", "IsOld:bool", "Count:real", "CveTags:dynamic", "Publisher:string")
		shows("DeviceTvmSoftwareInventory | project strcat_delim('|', DeviceId, Count, Publisher)", "3f01|7.5|p")
		shows("DeviceTvmSoftwareInventoryAsOf("+kql.Datetime(first)+") | project strcat_delim('|', DeviceId, Count, Publisher, Score, EndOfSupportDate)", "3f01|7.0||1.5|")
		shows("DeviceTvmSoftwareInventoryAsOf("+kql.Datetime(second)+") | project strcat_delim('|', DeviceId, Count, Publisher, Score)", "3f01|7.5|p|")

		// init keeps what the runs have found.
		made, err := s.client.Setup().Init(s.Context(), []tvmexport.Table{softwareTable}, setup.Options{})
		s.must(err)
		if len(made.Made) != 0 {
			s.Errorf("init after drift made %v", made.Made)
		}
	})
}

// TestEmulatorRetention: init sets what is not set, and never what somebody
// has set or what would drop rows; a run learns how long readers' rows last.
func TestEmulatorRetention(t *testing.T) {
	onStage(t, func(s stage) {
		tables := []tvmexport.Table{softwareTable}
		const day = 24 * time.Hour
		s.setUp(tables...)
		kept := func(t tvmexport.Table, want time.Duration) {
			s.Helper()
			got, err := s.client.History(s.Context(), []tvmexport.Table{t})
			s.must(err)
			if got[t.Name].Retention != want {
				s.Errorf("readers' rows are kept for %v, want %v", got[t.Name].Retention, want)
			}
		}
		raw := softwareTable
		raw.Layout = tvmexport.RawOnly
		kept(softwareTable, setup.DefaultTypedRetention)
		kept(raw, setup.DefaultRawRetention)

		made, err := s.client.Setup().Init(s.Context(), tables, setup.Options{RawRetention: 7 * day, Hot: 10 * day})
		s.must(err)
		if len(made.Made) != 0 || len(made.Notes) != 3 || !strings.Contains(made.Notes[0], "keeps rows for 30d, but the configuration says 7d") ||
			!strings.Contains(made.Notes[0], ".alter-merge table DeviceTvmSoftwareInventoryRaw policy retention softdelete = 7d") {
			s.Errorf("another configuration: made %v, notes %q", made.Made, made.Notes)
		}

		run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		s.export(run, batch(run, 1, `{"DeviceId":"3f01"}`))
		for _, table := range []string{"DeviceTvmSoftwareInventoryRaw", "DeviceTvmSoftwareInventoryTyped"} {
			_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: ".delete table " + table + " policy retention"})
			s.must(err)
		}
		kept(softwareTable, policy.Unlimited)
		made, err = s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		if len(made.Made) != 0 || len(made.Notes) != 2 || !strings.Contains(made.Notes[0], "keeps rows for 36500d") {
			s.Errorf("tables that hold rows: made %v, notes %q", made.Made, made.Notes)
		}
		_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: ".alter-merge database security policy retention softdelete = 90d"})
		s.must(err)
		kept(softwareTable, 90*day)
		made, err = s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		if len(made.Made) != 1 || made.Made[0].Table != "DeviceTvmSoftwareInventoryTyped" {
			s.Errorf("a longer retention drops nothing: made %v, notes %q", made.Made, made.Notes)
		}
		kept(softwareTable, setup.DefaultTypedRetention)
	})
}
