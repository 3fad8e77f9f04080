package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// count counts the rows of T.
func count(ctx context.Context, s *Source) (int64, tvmexport.Counts, error) {
	c, err := s.Count(ctx, tvmexport.CountQuery{Table: valued, Depth: 1, Fingerprints: true, Rows: 1})
	rows := int64(0)
	for _, p := range c.Parts {
		rows += p.Rows
	}
	return rows, c, err
}

// A story about units: how many are read, and what the count says.
func TestUnits(t *testing.T) {
	cut := func(times int) func(*contract.ListingSource) {
		return func(s *contract.ListingSource) {
			s.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
				if u.ID == "part-00001" && times > 0 {
					times--
					a.Counted = tvmexport.Missing
				}
			}
		}
	}
	expire := func(times int, newer bool) func(*contract.ListingSource) {
		return func(s *contract.ListingSource) {
			s.Before = func(u tvmexport.Unit) error {
				if u.ID != "part-00001" || times == 0 {
					return nil
				}
				times--
				if newer {
					s.Generate("T", fmt.Sprint("newer ", times), halves(rowsOf(300, 2))...)
				}
				return fmt.Errorf("it is too late: %w", tvmexport.ErrUnitExpired)
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func(*contract.ListingSource)
		rows    int64
		reads   int
		note    string
		fails   string
	}{
		"each once":        {func(*contract.ListingSource) {}, 200, 2, "", ""},
		"cut twice":        {cut(2), 200, 4, "", ""},
		"cut for ever":     {cut(1000), 0, 5, "", "does not prove that its 100 rows are all"},
		"expired once":     {expire(1, false), 200, 3, "", ""},
		"expired for ever": {expire(1000, false), 0, 0, "", "expired after each of 3 listings"},
		"newer version":    {expire(1, true), 300, 4, "with the version newer 0", ""},
		"always newer":     {expire(1000, true), 0, 0, "", "read from the beginning 3 times"},
		"one without rows": {func(s *contract.ListingSource) { s.Generate("T", "2", rowsOf(50, 1), nil) }, 50, 3, "files without rows: 1 of 2,", ""},
		"says it is empty": {func(s *contract.ListingSource) {
			s.Generate("T", "2", rowsOf(50, 1), nil)
			s.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) { a.Empty = a.Rows == 0 }
		}, 50, 2, "", ""},
		"all without rows":  {func(s *contract.ListingSource) { s.Generate("T", "2", nil, nil) }, 0, 4, "", "have no rows, but 1 rows are expected"},
		"announced as none": {func(s *contract.ListingSource) { s.Announce = true; s.Generate("T", "2", rowsOf(50, 1), nil) }, 50, 2, "", ""},
		"announced wrongly": {func(s *contract.ListingSource) {
			s.Announce = true
			s.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) { a.Rows, a.Counted = a.Rows-1, a.Counted-1 }
		}, 0, 0, "", "rows, but its own count is 99"},
		"named twice": {func(s *contract.ListingSource) {
			s.Walk = true
			s.Generate("T", "2", rowsOf(3, 1), rowsOf(3, 1), rowsOf(3, 1))
			s.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
				if u.ID == "part-00001" {
					a.Next = []tvmexport.Unit{{Version: "2", ID: "part-00000"}}
				}
			}
		}, 0, 2, "", "which was named before"},
		"of another version": {func(s *contract.ListingSource) {
			s.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) { a.Next = []tvmexport.Unit{{Version: "0", ID: "x"}} }
		}, 0, 0, "", "of the version \"0\""},
	} {
		t.Run(name, func(t *testing.T) {
			behind := &contract.ListingSource{Schema: valued.Columns}
			behind.Generate("T", "1", halves(rowsOf(200, 1))...)
			c.prepare(behind)
			s := newSource(t, behind, Options{Concurrency: 1})
			rows, counts, err := count(t.Context(), s)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("the error is %v, want one with %q", err, c.fails)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if rows != c.rows || c.reads > 0 && len(behind.Reads) != c.reads || !strings.Contains(strings.Join(counts.Notes, "\n"), c.note) {
				t.Errorf("%d rows by %d reads, want %d by %d; notes %q", rows, len(behind.Reads), c.rows, c.reads, counts.Notes)
			}
			if c.fails == "" {
				again, _, err := count(t.Context(), s)
				if again != rows || err != nil || c.reads > 0 && len(behind.Reads) != c.reads {
					t.Errorf("a second count: %d rows, %d reads, %v", again, len(behind.Reads), err)
				}
			}
		})
	}
}

// A unit that a full run has asked to be empty is believed.
func TestEmptiedTable(t *testing.T) {
	behind := &contract.ListingSource{}
	behind.Generate("T", "1", nil)
	s := newSource(t, behind, Options{})
	c, err := s.Count(t.Context(), tvmexport.CountQuery{Table: valued, Depth: 1, Rows: 7, Emptied: true})
	if err != nil || len(c.Parts) != 0 {
		t.Errorf("%v, %v", c.Parts, err)
	}
}

// Links that expire while units are read: only missing units are read again.
func TestLinksExpireInTime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		behind := &contract.ListingSource{Schema: valued.Columns, Valid: time.Hour}
		behind.Generate("T", "1", rowsOf(10, 1), rowsOf(20, 1), rowsOf(30, 1))
		behind.Before = func(tvmexport.Unit) error { time.Sleep(25 * time.Minute); return nil }
		s, err := New(behind, Options{Dir: dir, Concurrency: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		rows, _, err := count(t.Context(), s)
		if rows != 60 || err != nil || behind.Lists < 2 || len(behind.Reads) > 4 {
			t.Errorf("%d rows by %d listings and %d reads: %v", rows, behind.Lists, len(behind.Reads), err)
		}
	})
	isEmpty(t, dir)
}

func TestDisk(t *testing.T) {
	behind := &contract.ListingSource{Schema: valued.Columns}
	behind.Generate("T", "1", halves(rowsOf(2000, 1))...)
	t.Run("full", func(t *testing.T) {
		s := newSource(t, behind, Options{MaxBytes: 1000})
		_, _, err := count(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), "more than the 1000 bytes") || tvmexport.ActionOf(err) != tvmexport.Stop {
			t.Errorf("the error is %v", err)
		}
		isEmpty(t, s.store.parent)
	})
	t.Run("no folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(behind, Options{Dir: filepath.Join(file, "below")})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := count(t.Context(), s); err == nil || !strings.Contains(err.Error(), "rows cannot be kept in the folder") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("modes", func(t *testing.T) {
		s := newSource(t, behind, Options{})
		if _, _, err := count(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		dir, err := os.Stat(s.store.dir)
		if err != nil || runtime.GOOS != "windows" && dir.Mode().Perm() != 0o700 {
			t.Errorf("the folder: %v, %v", dir.Mode(), err)
		}
		files, err := os.ReadDir(s.store.dir)
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if info, err := files[0].Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v", info.Mode(), err)
		}
	})
	t.Run("dead process", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"rows-dead/table-1", "rows-orphan/table-2"} {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "rows-dead.lock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		alive := newSource(t, behind, Options{Dir: dir})
		if _, _, err := count(t.Context(), alive); err != nil {
			t.Fatal(err)
		}
		second, err := New(behind, Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := count(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if rows, _, err := count(t.Context(), alive); err != nil || rows != 2000 {
			t.Errorf("another process has removed rows of one that is alive: %d, %v", rows, err)
		}
		second.Release("T")
	})
	t.Run("damaged", func(t *testing.T) {
		s := newSource(t, behind, Options{})
		if _, _, err := count(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		st := s.tables["T"].state
		if _, err := st.file.file.WriteAt(bytes.Repeat([]byte{7}, int(st.file.size)), 0); err != nil {
			t.Fatal(err)
		}
		_, err := s.Fetch(t.Context(), tvmexport.Slice{Table: valued, Partitions: []tvmexport.Partition{""}}, discard{})
		if err == nil || !errors.Is(err, errDamaged) {
			t.Errorf("the error is %v", err)
		}
	})
}

type discard struct{}

func (discard) WriteRow(_, _ []byte) error { return nil }

// A cancel in the middle of a unit leaves nothing.
func TestCancelled(t *testing.T) {
	behind := &contract.ListingSource{Schema: valued.Columns}
	behind.Generate("T", "1", halves(rowsOf(2000, 1))...)
	s := newSource(t, behind, Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("stopped")
	behind.Before = func(u tvmexport.Unit) error {
		if u.ID == "part-00001" {
			cancel(why)
			return context.Cause(ctx)
		}
		return nil
	}
	if _, _, err := count(ctx, s); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
	isEmpty(t, s.store.parent)
}

// A table is released while it is read: the rows stay until the answer is done.
func TestReleasedDuringAFetch(t *testing.T) {
	behind := &contract.ListingSource{Schema: valued.Columns}
	behind.Generate("T", "1", rowsOf(500, 1))
	s := newSource(t, behind, Options{})
	w := &releasing{s: s}
	a, err := s.Fetch(t.Context(), tvmexport.Slice{Table: valued, Partitions: []tvmexport.Partition{""}}, w)
	if err != nil || a.Rows != 500 {
		t.Errorf("%d rows, %v", a.Rows, err)
	}
	isEmpty(t, s.store.parent)
}

type releasing struct{ s *Source }

func (r *releasing) WriteRow(_, _ []byte) error {
	r.s.Release("T")
	return nil
}

// large generates rows while they are read.
type large struct {
	contract.ListingSource
	units, rows int
}

func (l *large) List(context.Context, tvmexport.Table) (tvmexport.Listing, error) {
	out := tvmexport.Listing{Version: "1", Calls: 1}
	for i := range l.units {
		out.Units = append(out.Units, tvmexport.Unit{Version: "1", ID: fmt.Sprint(i), Rows: tvmexport.Missing})
	}
	return out, nil
}

func (l *large) FetchUnit(_ context.Context, _ tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	filler := strings.Repeat("c:\\\\program files\\\\contoso\\\\agent.exe ", 22)
	var n int
	_, _ = fmt.Sscan(u.ID, &n)
	a := tvmexport.Answer{Calls: 1, Columns: valued.Columns}
	var key, row []byte
	for i := range l.rows {
		x := uint64(n*l.rows+i) * 0x9e3779b97f4a7c15
		key = fmt.Appendf(key[:0], "%016x%024x", x, i)
		row = fmt.Appendf(row[:0], `{"DeviceId":"%s","V":%d,"Text":"%s%x"}`, key, i, filler, x)
		if err := w.WriteRow(key, row); err != nil {
			return a, err
		}
		a.Rows++
	}
	a.Counted = a.Rows
	return a, nil
}

// Memory does not grow with rows.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads 300,000 rows of 1 KB")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as in a program; the other tests collect less
	s := newSource(t, &large{units: 12, rows: 25_000}, Options{})
	var most uint64
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	rows, _, err := count(t.Context(), s)
	if err == nil {
		_, err = s.Fetch(t.Context(), tvmexport.Slice{Table: valued, Partitions: []tvmexport.Partition{"3", "7"}}, discard{})
	}
	close(done)
	<-watched
	if rows != 300_000 || err != nil {
		t.Fatal(rows, err)
	}
	t.Logf("%d MB on disk, at most %d MB of heap", s.store.used>>20, most>>20)
	if most > 128<<20 {
		t.Errorf("%d MB of heap", most>>20)
	}
}

func BenchmarkRead(b *testing.B) {
	behind := &large{units: 4, rows: 10_000}
	b.Run("one pass", func(b *testing.B) {
		for b.Loop() {
			for i := range behind.units {
				_, _ = behind.FetchUnit(b.Context(), valued, tvmexport.Unit{ID: fmt.Sprint(i)}, discard{})
			}
		}
	})
	b.Run("spool", func(b *testing.B) {
		s, err := New(behind, Options{Dir: b.TempDir(), Concurrency: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		for b.Loop() {
			if _, _, err := count(b.Context(), s); err != nil {
				b.Fatal(err)
			}
			s.Release("T")
		}
	})
}

// What is read of a damaged file is an error, never a panic.
func FuzzUnpack(f *testing.F) {
	p, err := newPacker(1)
	if err != nil {
		f.Fatal(err)
	}
	b := &block{}
	r := record{key: []byte("3f"), row: []byte(`{"DeviceId":"3f"}`), moment: 7}
	b.add(0x3f, &r, true)
	b.add(0x3f, &r, true)
	list := b.pack(p)
	f.Add(b.packed, list[0].size, list[0].rows, true)
	f.Add(b.data, uint32(0), uint32(0), false)
	f.Fuzz(func(t *testing.T, packed []byte, size, rows uint32, timed bool) {
		c := chunk{size: size % (1 << 20), rows: rows}
		n := uint32(0)
		_, err := p.unpack(packed, c, timed, nil, func(*record) error { n++; return nil })
		if err == nil && n != rows {
			t.Errorf("%d rows of %d without an error", n, rows)
		}
		var r record
		for rest := packed; len(rest) > 0; {
			if rest, err = r.next(rest, timed); err != nil {
				break
			}
		}
	})
}
