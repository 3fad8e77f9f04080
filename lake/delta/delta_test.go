package delta_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
	"github.com/tvmexport/tvmexport/lake/store/storetest"
)

var (
	start   = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Seen", Type: "datetime"}, {Name: "Tags", Type: "dynamic"}}
)

// folder returns a local store with a clock.
func folder(t *testing.T) (*local.Store, *storetest.Clock) {
	t.Helper()
	s, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := storetest.NewClock(start)
	return s.WithClock(clock.Now), clock
}

func metadata(t *testing.T) *delta.Metadata {
	t.Helper()
	schema, err := delta.SchemaOf(columns)
	if err != nil {
		t.Fatal(err)
	}
	return &delta.Metadata{Name: "Devices", Schema: schema}
}

// file is a file of a transaction.
func file(path string) delta.Add {
	return delta.Add{Path: path, Size: 10, Stats: `{"numRecords":1}`}
}

// run returns the transaction of a run that adds a file, and creates the table if
// it does not exist.
func run(t *testing.T, n int64, remove ...string) func(context.Context, *delta.Snapshot) (delta.Transaction, error) {
	return func(_ context.Context, s *delta.Snapshot) (delta.Transaction, error) {
		x := delta.Transaction{
			Txn: delta.Txn{AppID: "tvmexport/Devices", Version: n}, Add: []delta.Add{file(fmt.Sprintf("run=%d/a b.parquet", n))}, Remove: remove,
		}
		if !s.Exists() {
			x.Metadata = metadata(t)
		}
		return x, nil
	}
}

func paths(s *delta.Snapshot) []string {
	var out []string
	for f := range s.Files() {
		out = append(out, f.Path)
	}
	return out
}

func TestCommitAndSnapshot(t *testing.T) {
	s, clock := folder(t)
	table := delta.Open(s, "tables/Devices", delta.Options{Engine: "tvmexport/test"})
	none, err := table.Snapshot(t.Context())
	if err != nil || none.Exists() || none.Version != -1 {
		t.Fatalf("no table: %+v, %v", none, err)
	}
	for n := range int64(3) {
		var remove []string
		if n == 2 {
			remove = []string{"run=0/a b.parquet"}
		}
		done, err := table.Commit(t.Context(), nil, run(t, n, remove...))
		if err != nil || done.Version != n || done.Repeated || done.Snapshot.Version != n {
			t.Fatalf("commit %d: %+v, %v", n, done, err)
		}
		clock.Add(time.Hour)
	}
	again, err := table.Commit(t.Context(), nil, run(t, 1))
	if err != nil || !again.Repeated || again.Snapshot.Version != 2 {
		t.Errorf("a repeated transaction: %+v, %v", again, err)
	}
	for version, want := range [][]string{
		{"run=0/a b.parquet"},
		{"run=0/a b.parquet", "run=1/a b.parquet"},
		{"run=1/a b.parquet", "run=2/a b.parquet"},
	} {
		at, err := table.At(t.Context(), int64(version))
		if err != nil || !slices.Equal(paths(at), want) {
			t.Errorf("version %d: %v, %v, want %v", version, at, err, want)
		}
		asOf, err := table.AsOf(t.Context(), start.Add(time.Duration(version)*time.Hour+time.Minute))
		if err != nil || asOf.Version != int64(version) {
			t.Errorf("as of version %d: %v, %v", version, asOf, err)
		}
	}
	if _, err := table.At(t.Context(), 3); !errors.Is(err, delta.ErrGone) || !strings.Contains(err.Error(), "00003.json") {
		t.Errorf("a later version: %v, want ErrGone with the file", err)
	}
	if _, err := table.AsOf(t.Context(), start.Add(-time.Second)); !errors.Is(err, delta.ErrGone) {
		t.Errorf("before the first commit: %v, want ErrGone", err)
	}
	now, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := now.Txn("tvmexport/Devices"); !ok || v != 2 {
		t.Errorf("the txn is %d, %t", v, ok)
	}
	if got, err := now.Columns(); err != nil || !slices.Equal(got, columns) {
		t.Errorf("columns %v, %v", got, err)
	}
}

// Of several writers, each commit has one, and no transaction is lost or committed twice.
func TestRacingWriters(t *testing.T) {
	s, _ := folder(t)
	const writers, each = 6, 8
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			table := delta.Open(s, "t", delta.Options{})
			app := fmt.Sprintf("app-%d", w)
			for n := range int64(each) {
				_, err := table.Commit(t.Context(), nil, func(_ context.Context, now *delta.Snapshot) (delta.Transaction, error) {
					x := delta.Transaction{Txn: delta.Txn{AppID: app, Version: n}, Add: []delta.Add{file(fmt.Sprintf("%s/%d", app, n))}}
					if !now.Exists() {
						x.Metadata = metadata(t)
					}
					return x, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	table := delta.Open(s, "t", delta.Options{})
	now, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now.Version != writers*each-1 || now.Len() != writers*each {
		t.Errorf("version %d with %d files, want %d files, each in a commit", now.Version, now.Len(), writers*each)
	}
}

// A process that dies at any writing operation leaves a log that the next one
// continues: each transaction is there once.
func TestDeathAtEachStep(t *testing.T) {
	for n := range 12 {
		for _, last := range []bool{false, true} {
			s, _ := folder(t)
			o := delta.Options{CheckpointEvery: 2}
			dying := storetest.NewStopping(s, n, last)
			var err error
			for i := int64(0); i < 6 && err == nil; i++ {
				_, err = delta.Open(dying, "t", o).Commit(t.Context(), nil, run(t, i))
			}
			table := delta.Open(s, "t", o)
			for i := range int64(6) {
				if _, err := table.Commit(t.Context(), nil, run(t, i)); err != nil {
					t.Fatalf("after %d operations (%t): %v", n, last, err)
				}
			}
			now, err := table.Snapshot(t.Context())
			if err != nil || now.Version != 5 || now.Len() != 6 {
				t.Errorf("after %d operations (%t): %+v, %v", n, last, now, err)
			}
		}
	}
}

// A commit file that is cut at any byte is an error that names the file, except where
// only the last line feed is missing.
func TestCutCommit(t *testing.T) {
	s, _ := folder(t)
	table := delta.Open(s, "t", delta.Options{})
	if _, err := table.Commit(t.Context(), nil, run(t, 0)); err != nil {
		t.Fatal(err)
	}
	const name = "t/_delta_log/00000000000000000000.json"
	text, _, err := store.ReadAll(t.Context(), s, name, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(text) - 1 {
		if _, err := s.Put(t.Context(), name, text[:n], store.Condition{}); err != nil {
			t.Fatal(err)
		}
		if _, err := table.Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "00000000000000000000.json") {
			t.Fatalf("cut at %d of %d: %v, want an error that names the file", n, len(text), err)
		}
	}
}

// Times of commits ascend, also when the clock goes back.
func TestClockGoesBack(t *testing.T) {
	s, clock := folder(t)
	table := delta.Open(s, "t", delta.Options{})
	before := time.Time{}
	for n, jump := range []time.Duration{0, -24 * time.Hour, 48 * time.Hour, -time.Millisecond, 0} {
		clock.Add(jump)
		done, err := table.Commit(t.Context(), nil, run(t, int64(n)))
		if err != nil {
			t.Fatal(err)
		}
		if !done.Snapshot.Time.After(before) {
			t.Errorf("commit %d is at %v, the one before it at %v", n, done.Snapshot.Time, before)
		}
		before = done.Snapshot.Time
	}
}

func TestRefusedTransactions(t *testing.T) {
	s, _ := folder(t)
	table := delta.Open(s, "t", delta.Options{})
	try := func(x delta.Transaction) error {
		_, err := table.Commit(t.Context(), nil, func(context.Context, *delta.Snapshot) (delta.Transaction, error) { return x, nil })
		return err
	}
	if err := try(delta.Transaction{Add: []delta.Add{file("a")}}); !errors.Is(err, delta.ErrConflict) {
		t.Errorf("a table without schema: %v", err)
	}
	if err := try(delta.Transaction{Metadata: metadata(t), Add: []delta.Add{file("a")}}); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]delta.Transaction{
		"file twice":       {Add: []delta.Add{file("a")}},
		"file not there":   {Remove: []string{"b"}},
		"outside":          {Add: []delta.Add{file("../b")}},
		"absolute":         {Add: []delta.Add{file("/b")}},
		"another store":    {Add: []delta.Add{file("abfss://x/y")}},
		"in the log":       {Add: []delta.Add{file("_delta_log/x")}},
		"broken schema":    {Metadata: &delta.Metadata{Schema: "{"}},
		"removed and kept": {Remove: []string{"a", "a"}},
	} {
		if err := try(x); err == nil {
			t.Errorf("%s: committed", name)
		}
	}
}
