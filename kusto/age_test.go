package kusto

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// installation is a database as daily runs leave it, without the runs: a full
// one each week, and every other day one that replaces the rows of 1 % of the
// devices.
type installation struct {
	testing.TB
	emulator *emulatortest.Emulator
	clock    atomic.Pointer[time.Time]
	table    tvmexport.Table
}

func (i *installation) now() time.Time { return *i.clock.Load() }

func (i *installation) set(now time.Time) { i.clock.Store(&now) }

// agingTable is the table of an installation.
var agingTable = tvmexport.Table{
	Name: "DeviceTvmSoftwareInventory", Destination: "DeviceTvmSoftwareInventoryRaw", LoadType: tvmexport.Snapshot, NaturalKey: []string{"DeviceId", "SoftwareName"},
	Columns: typed("DeviceId", "string", "OSPlatform", "string", "SoftwareVendor", "string", "SoftwareName", "string", "SoftwareVersion", "string", "EndOfSupportDate", "datetime"),
}

// aged makes an installation of the given number of days.
func aged(t testing.TB, days, devices, rowsPerDevice int) *installation {
	t.Helper()
	return agedOf(t, agingTable, days, devices, rowsPerDevice)
}

func agedOf(t testing.TB, table tvmexport.Table, days, devices, rowsPerDevice int) *installation {
	t.Helper()
	i := &installation{TB: t, table: table}
	i.set(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	i.emulator = emulatortest.New(t, emulatortest.Devices(1), emulatortest.CVEs(1), emulatortest.History(1), emulatortest.Clock(i.now)) // its tenant is not asked
	commands, err := setup.Script([]tvmexport.Table{i.table}, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		i.command(c.Text)
	}
	previous := ""
	for day := range days {
		i.set(i.now().Add(24 * time.Hour).Truncate(24 * time.Hour))
		run := tvmexport.Run{
			ID: tvmexport.RunID(fmt.Sprintf("%s-%04d", i.now().Format("20060102T150405Z"), day)), Previous: tvmexport.RunID(previous),
			Table: i.table, Kind: tvmexport.FullRun, Depth: 3, StartedAt: i.now(),
		}
		of := fmt.Sprintf("range Device from 0 to %d step 1", devices-1)
		if day%7 != 0 {
			run.Kind = tvmexport.DeltaRun
			changed := max(1, devices/100)
			of = fmt.Sprintf("range N from 0 to %d step 1 | extend Device = (N * 37 + %d) %% %d", changed-1, day*changed*37, devices)
		}
		i.publish(run, of, rowsPerDevice)
		previous = string(run.ID)
	}
	i.set(i.now().Add(12 * time.Hour))
	return i
}

// publish writes what a run writes: leases, the claim with its partitions,
// rows, and an hour later the commit.
func (i *installation) publish(run tvmexport.Run, devices string, rowsPerDevice int) {
	i.Helper()
	row := func(state string) ledger.Record { r := ledger.RecordOf(run, state); r.Owner = "host"; return r }
	for n := range 5 {
		i.command(row(kql.LeaseState).Text(fmt.Sprintf("lease:%s:%d", run.ID, n)))
	}
	keys := devices + " | extend DeviceId = substring(hash_sha256(Device), 0, 40) | extend Partition = substring(DeviceId, 0, 3)"
	i.command(kql.Guarded(kql.PartitionsTable, "partitions:"+string(run.ID), nil, fmt.Sprintf("%s\n| summarize Rows = %d * count() by Partition\n| project %s", keys, rowsPerDevice, kql.Fill(kql.PartitionsColumns, map[string]kql.Expression{
		"Table": {Kind: "string", Text: kql.Literal(run.Table.Name)}, "RunId": {Kind: "string", Text: kql.Literal(string(run.ID))},
		"Partition": {Kind: "string", Text: "Partition"}, "Rows": {Kind: "long", Text: "Rows"}, "WindowNull": {Kind: "bool", Text: "false"},
	}))))
	i.command(row(kql.PublishingState).Text("claim:" + string(run.ID)))
	i.command(kql.AppendText("", run.Table.Typed(), "rows:"+string(run.ID), []string{kql.RunTag(run.ID)}, fmt.Sprintf(`%s
| mv-expand Software = range(1, %d, 1) to typeof(long)
| project DeviceId, OSPlatform = "Windows11", SoftwareVendor = strcat("vendor", Software %% 7), SoftwareName = strcat("software", Software),
    SoftwareVersion = strcat(%d, ".", Device %% 5), EndOfSupportDate = datetime(2027-01-01) + Software * 1d,
    RunId = %s, Partition, ExportedAt = %s`, keys, rowsPerDevice, run.StartedAt.YearDay(), kql.Literal(string(run.ID)), kql.Datetime(run.StartedAt))))
	i.set(i.now().Add(time.Hour))
	detail, err := kql.Document(ledger.CommitDetail{RunHeader: run.Header()})
	if err != nil {
		i.Fatal(err)
	}
	done := row(kql.CommittedState)
	done.Detail = detail
	i.command(done.Text("commit:" + string(run.ID)))
}

func (i *installation) command(text string) {
	i.Helper()
	if _, err := i.emulator.Command(i.Context(), text); err != nil {
		i.Fatalf("%.2000s", err)
	}
}

// count runs a query that gives one number, and says how many rows of tables
// it has read.
func (i *installation) count(text string) (n, scanned int64) {
	i.Helper()
	before := i.emulator.Stats().Kusto.RowsScanned
	answer, err := i.emulator.Query(i.Context(), text)
	if err != nil {
		i.Fatal(err)
	}
	var rows []struct{ N int64 }
	if err := answer.Decode(&rows); err != nil || len(rows) != 1 {
		i.Fatalf("%v, %v", rows, err)
	}
	return rows[0].N, i.emulator.Stats().Kusto.RowsScanned - before
}

// The questions that readers ask, each answered by one number, and how often
// the answer looks through the runs of the ledger.
var questions = map[string]struct {
	text string
	runs int64
}{
	"current": {"DeviceTvmSoftwareInventory | where SoftwareVersion != '' | summarize N = dcount(DeviceId)", 1},
	"asof":    {"DeviceTvmSoftwareInventoryAsOf(ago(1d)) | where SoftwareVersion != '' | summarize N = dcount(DeviceId)", 2},
	"changes": {"DeviceTvmSoftwareInventoryChanges(ago(2d), now()) | summarize N = count()", 5},
}

const week, quarter, year = 7, 13 * 7, 52 * 7 // the last run of each is the sixth after a full one

// TestReadersDoNotAge: what readers read of the tables does not grow with the
// age of the installation, except for the few rows of the ledger.
func TestReadersDoNotAge(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	const devices, rows = 100, 5
	young, old := aged(t, week, devices, rows), aged(t, quarter, devices, rows)
	for name, q := range questions {
		young, read := young.count(q.text)
		old, readLater := old.count(q.text)
		if young != old || young == 0 {
			t.Errorf("%s: %d after a week, %d after a quarter", name, young, old)
		}
		// Eight rows of the ledger are written a day.
		if most := read + q.runs*8*quarter; readLater > most {
			t.Errorf("%s: %d rows were read after a week, %d after a quarter, want %d at most", name, read, readLater, most)
		}
	}
}

// TestReasonsCostLittle: to say why rows vanished costs two more looks at the published table.
func TestReasonsCostLittle(t *testing.T) {
	const devices, rows = 100, 5
	traced := agingTable
	traced.NaturalKey = []string{"DeviceId", "SoftwareName", "SoftwareVersion"} // each change is a row that vanished
	plain := agedOf(t, traced, week, devices, rows)
	traced.Trace = tvmexport.Trace{
		Device: "DeviceId", Software: []string{"SoftwareVendor", "SoftwareName"}, Version: "SoftwareVersion", Finding: "OSPlatform",
		LastSeen: "EndOfSupportDate", UserDays: 7, DeviceDays: 30,
	}
	withReasons := agedOf(t, traced, week, devices, rows)
	for _, from := range []string{"ago(1m)", "ago(2d)"} { // a quiet time, and one with changes
		text := "DeviceTvmSoftwareInventoryChanges(" + from + ", now()) | summarize N = count()"
		n, read := plain.count(text)
		m, readWithReasons := withReasons.count(text)
		if n != m || (n == 0) != (from == "ago(1m)") {
			t.Errorf("since %s: %d changes, %d with reasons", from, n, m)
		}
		t.Logf("since %s: %d rows read, %d with reasons", from, read, readWithReasons)
		if readWithReasons > 2*read {
			t.Errorf("since %s: %d rows read, %d with reasons; want twice as many at most", from, read, readWithReasons)
		}
	}
	reasons := `DeviceTvmSoftwareInventoryChanges(ago(2d), now()) | where Change == "removed" and Reason == "fixed" | summarize N = count()`
	if n, _ := withReasons.count(reasons); n == 0 {
		t.Error("no row was fixed")
	}
}

// BenchmarkReaders is the cost of what readers ask after a week and after a
// year of daily runs over 2,000 devices.
func BenchmarkReaders(b *testing.B) {
	for _, age := range []struct {
		name string
		days int
	}{{"week", week}, {"year", year}} {
		i := aged(b, age.days, 2000, 20)
		for name, q := range questions {
			b.Run(name+"/"+age.name, func(b *testing.B) {
				var scanned int64
				for b.Loop() {
					_, scanned = i.count(q.text)
				}
				b.ReportMetric(float64(scanned), "rows-read/op")
			})
		}
	}
}
