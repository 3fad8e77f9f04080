package lake_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/lake"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
	"github.com/tvmexport/tvmexport/lake/store/storetest"
)

// tenant is a source whose states follow each other.
type tenant struct {
	source *contract.Source
	clock  *storetest.Clock
	events []contract.Row
	rows   map[string][]string // by table: what readers must see
}

// tenantColumns are those of each table of the source.
var tenantColumns = []tvmexport.Column{
	{Name: "DeviceId", Type: "string"}, {Name: "N", Type: "long"}, {Name: "Note", Type: "string"}, {Name: "Timestamp", Type: "datetime"}, {Name: "Extra", Type: "dynamic"},
}

var tenantStart = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

func newTenant() *tenant {
	return &tenant{source: &contract.Source{Schema: tenantColumns}, clock: storetest.NewClock(tenantStart), rows: map[string][]string{}}
}

// set makes the state of a day: some devices change, one goes, one comes, and events happen.
func (s *tenant) set(day int) {
	s.clock.Add(12 * time.Hour)
	now := s.clock.Now()
	s.source.SetNow(now)
	var devices []contract.Row
	for i := day; i < 40+day; i++ {
		key := fmt.Sprintf("%02x%038d", i*7%256, i)
		for n := range 3 {
			text := fmt.Sprintf(`{"DeviceId":%q,"N":%d,"Note":"%d\té","Timestamp":null,"Extra":null}`, key, n, n*max(0, i%9-8+day))
			devices = append(devices, contract.Row{Key: key, JSON: text})
		}
	}
	for i := range 5 {
		at := now.Add(-time.Hour).Add(time.Duration(i)*time.Minute + 100*time.Nanosecond*time.Duration(i))
		text := fmt.Sprintf(`{"DeviceId":"d%d","N":null,"Note":null,"Timestamp":%q,"Extra":{"a":[%d,null]}}`, i, at.Format("2006-01-02T15:04:05.0000000Z"), day)
		s.events = append(s.events, contract.Row{Key: fmt.Sprintf("d%d", i), Time: at, JSON: text})
	}
	s.source.Set("Devices", devices)
	s.source.Set("Events", s.events)
	s.rows["Devices"], s.rows["Events"] = jsonOf(devices), jsonOf(s.events)
}

func jsonOf(rows []contract.Row) (out []string) {
	for _, r := range rows {
		out = append(out, r.JSON)
	}
	slices.Sort(out)
	return out
}

func (s *tenant) tables() []tvmexport.Table {
	devices := tvmexport.Table{
		Name: "Devices", Destination: "DevicesRaw", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"},
		Columns: tenantColumns,
	}
	events := tvmexport.Table{
		Name: "Events", Destination: "EventsRaw", LoadType: tvmexport.Incremental, Watermark: "Timestamp",
		Columns: tenantColumns,
	}
	return []tvmexport.Table{devices, events}
}

func (s *tenant) describe(name string) (tvmexport.Table, bool) {
	for _, t := range s.tables() {
		if t.Name == name {
			return t, true
		}
	}
	return tvmexport.Table{}, false
}

// open opens a folder by the clock of the tenant.
func (s *tenant) open(t *testing.T, root string) store.Store {
	t.Helper()
	l, err := local.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return l.WithClock(s.clock.Now)
}

func (s *tenant) exporter(to tvmexport.Destination, owner string) *engine.Exporter {
	return &engine.Exporter{
		Source: s.source, Destination: to, Describe: s.describe, Owner: owner, Term: time.Minute, Resume: 24 * time.Hour, Recount: 48 * time.Hour,
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}
}

// export makes a run of all tables in a process of its own.
func (s *tenant) export(ctx context.Context, to store.Store, owner string) error {
	c := lake.New(lake.Options{Store: to, Version: "v1.2.3"})
	defer c.Close()
	report, err := s.exporter(c, owner).Run(ctx, engine.Request{})
	for _, o := range report.Outcomes {
		err = errors.Join(err, o.Err)
	}
	return err
}

// agrees fails unless readers see the rows of the tenant, each once.
func (s *tenant) agrees(t *testing.T, to store.Store) {
	t.Helper()
	c := lake.New(lake.Options{Store: to})
	for name, want := range s.rows {
		_, rows, err := c.Show(t.Context(), lake.Question{Table: name})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for row, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(row.JSON))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s has %d rows, want %d, or others; the first are %s and %s", name, len(got), len(want), slices.Concat(got, []string{"none"})[0], want[0])
		}
	}
}

// consistent fails unless the logs can be read completely, and the ledger has each run once.
func consistent(t *testing.T, to store.Store) {
	t.Helper()
	for _, name := range []string{"Devices", "Events", lake.RunsTable, lake.AuditTable, lake.ConfigurationTable} {
		table := delta.Open(to, name, delta.Options{})
		ordinals := map[int64]bool{}
		for c, err := range table.Commits(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			s, err := table.At(t.Context(), c.Version)
			if err != nil {
				t.Fatal(err)
			}
			for a := range s.Files() {
				if _, err := to.Stat(t.Context(), table.File(a.Path)); err != nil {
					t.Fatalf("version %d of %s: %v", c.Version, name, err)
				}
			}
			for _, x := range c.Txns {
				if x.AppID == "tvmexport/"+name && ordinals[x.Version] {
					t.Fatalf("run %d of %s is committed twice", x.Version, name)
				}
				ordinals[x.Version] = true
			}
		}
	}
}

// count reads how many rows a table about the export has.
func count(t *testing.T, to store.Store, table string) map[string]int {
	t.Helper()
	_, rows, err := lake.New(lake.Options{Store: to}).Show(t.Context(), lake.Question{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		out[row.Text(0)]++
	}
	return out
}

// TestDeathAtEachWrite: a process dies before or after each operation that writes. The next run
// completes what it began: no row is lost or there twice, and the ledger and the audit have each run once.
func TestDeathAtEachWrite(t *testing.T) {
	first := newTenant()
	first.set(0)
	base := t.TempDir()
	to := first.open(t, base)
	c := lake.New(lake.Options{Store: to, Version: "v1.2.3"})
	if _, _, err := c.Init(t.Context(), first.tables()); err != nil {
		t.Fatal(err)
	}
	if err := c.Seed(t.Context(), first.tables()); err != nil {
		t.Fatal(err)
	}
	if err := first.export(t.Context(), to, "first"); err != nil {
		t.Fatal(err)
	}
	first.agrees(t, to)
	for n, ended := 0, false; !ended; n++ {
		if testing.Short() && n%7 != 0 && n > 1 {
			continue
		}
		for _, last := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%t", n, last), func(t *testing.T) {
				s := newTenant()
				s.set(0)
				root := t.TempDir()
				if err := os.CopyFS(root, os.DirFS(base)); err != nil {
					t.Fatal(err)
				}
				to := s.open(t, root)
				s.set(1)
				dying := storetest.NewStopping(to, n, last)
				err := s.export(t.Context(), dying, "dying")
				if ended = !dying.Stopped(); ended && err != nil {
					t.Fatal(err)
				}
				consistent(t, to)
				s.set(2)
				if err := s.export(t.Context(), to, "next"); err != nil {
					t.Fatalf("the next run: %v", err)
				}
				s.agrees(t, to)
				consistent(t, to)
				for table, rows := range count(t, to, lake.AuditTable) {
					if rows < 2 || rows > 3 {
						t.Errorf("the audit has %d rows of %s after 3 invocations, one of which may not have begun", rows, table)
					}
				}
				for table, rows := range count(t, to, lake.RunsTable) {
					if rows < 2 || rows > 4 {
						t.Errorf("the ledger has %d rows of %s", rows, table)
					}
				}
			})
		}
	}
}
