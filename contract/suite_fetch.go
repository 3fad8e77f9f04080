package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
)

var fetchCases = []sourceCase{
	{"Fetch", "AllRows", fetchAll},
	{"Fetch", "PartitionsAreDisjointAndComplete", fetchPartitions},
	{"Fetch", "WindowsAreDisjointAndComplete", fetchWindows},
	{"Fetch", "PartsByRowHashAreDisjointAndComplete", fetchRowHash},
	{"Fetch", "FingerprintIsThatOfTheCount", fetchPrint},
	{"Fetch", "RowsInsertedAndRemovedSinceTheCount", fetchChanged},
	{"Fetch", "CutAnswerIsNotComplete", fetchCut},
	{"Fetch", "DuplicatedRowIsNotComplete", fetchDuplicated},
	{"Fetch", "OrderDoesNotMatter", fetchReordered},
	{"Fetch", "WriterEndsIt", fetchWriter},
	{"Fetch", "EndedContext", fetchEnded},
}

// rowList takes rows and checks their form.
type rowList struct {
	t    *testing.T
	of   tvmexport.Slice
	keys []string
}

func (l *rowList) WriteRow(key, row []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(row, &object); err != nil || bytes.ContainsAny(row, "\n\r") {
		l.t.Errorf("a row is not one line with a JSON object: %v", err)
	}
	if !slices.ContainsFunc(l.of.Partitions, func(p tvmexport.Partition) bool { return p.Contains(string(key)) }) {
		l.t.Errorf("a row has the key %q, which is in none of %v", key, l.of.Partitions)
	}
	l.keys = append(l.keys, string(key))
	return nil
}

// fetch asks for a slice and gives the keys of its rows, in order.
func (h SourceHarness) fetch(t *testing.T, s tvmexport.Slice) ([]string, tvmexport.Answer) {
	t.Helper()
	l := &rowList{t: t, of: s}
	a, err := h.Source.Fetch(t.Context(), s, l)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Complete() || a.Rows != int64(len(l.keys)) || a.Calls < 1 && !h.Keeps || a.Rows > 0 && a.Bytes < 1 {
		t.Errorf("%d rows were written; the answer says %d of %d, %d bytes, %d calls", len(l.keys), a.Rows, a.Counted, a.Bytes, a.Calls)
	}
	slices.Sort(l.keys)
	return l.keys, a
}

func whole(t tvmexport.Table) tvmexport.Slice {
	return tvmexport.Slice{Table: t, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}
}

func keysOf(rows []Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Key
	}
	slices.Sort(out)
	return out
}

// differ says that keys were fetched that the table does not have so often, or the reverse.
func differ(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("fetched %d rows, want %d with the same keys", len(got), len(want))
	}
}

func fetchAll(t *testing.T, h SourceHarness) {
	for _, table := range []tvmexport.Table{h.Table, h.Events} {
		keys, _ := h.fetch(t, whole(table))
		if len(keys) != len(h.rowsOf(t, table.Name)) {
			t.Errorf("fetched %d rows of %s, want %d", len(keys), table.Name, len(h.rowsOf(t, table.Name)))
		}
	}
	keys, _ := h.fetch(t, whole(h.Table))
	differ(t, keys, keysOf(h.rowsOf(t, h.Table.Name)))
}

func fetchPartitions(t *testing.T, h SourceHarness) {
	var all []string
	digits := []byte("0123456789abcdef~")
	for len(digits) > 0 { // four in a call
		s := tvmexport.Slice{Table: h.Table}
		n := min(4, len(digits))
		for _, d := range digits[:n] {
			s.Partitions = append(s.Partitions, tvmexport.AllPartitions.Child(d))
		}
		digits = digits[n:]
		keys, _ := h.fetch(t, s)
		all = append(all, keys...)
	}
	differ(t, all, keysOf(h.rowsOf(t, h.Table.Name)))
}

func fetchWindows(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Events.Name)
	moments := times(rows)
	// The borders are moments that rows have: each such row is in one window.
	first, middle, last := moments[0], moments[len(moments)/2], moments[len(moments)-1]
	got, want := 0, 0
	for _, w := range []tvmexport.Window{
		{From: first.Add(-tvmexport.Tick), To: first}, {From: first, To: middle}, {From: middle, To: last}, {From: last},
	} {
		s := whole(h.Events)
		s.Window = w
		keys, _ := h.fetch(t, s)
		inside := 0
		for _, r := range rows {
			if Within(w, r) {
				inside++
			}
		}
		if len(keys) != inside {
			t.Errorf("fetched %d rows of the window %v, want %d", len(keys), w, inside)
		}
		got, want = got+len(keys), want+inside
	}
	if got != want {
		t.Errorf("the windows have %d rows together, want %d", got, want)
	}
}

func fetchRowHash(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Table.Name)
	p := largest(rows)
	var got []string
	for _, d := range []byte("0123456789abcdef") {
		keys, _ := h.fetch(t, tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{p.ByRowHash().Child(d)}})
		got = append(got, keys...)
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !p.Contains(r.Key) })
	differ(t, got, keysOf(rows))
}

func fetchPrint(t *testing.T, h SourceHarness) {
	sum := tvmexport.EmptyFingerprint
	for _, p := range h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1, Fingerprints: true}).Parts {
		sum = sum.Add(p.Fingerprint)
	}
	s := whole(h.Table)
	s.Fingerprint = true
	_, a := h.fetch(t, s)
	if !sum.Known || !a.Fingerprint.Known {
		t.Skip("this source computes no fingerprints, which the contract allows (Fingerprint.Known is false)")
	}
	if !sum.Same(a.Fingerprint) {
		t.Errorf("the fingerprint of the answer is %s, that of the count %s", a.Fingerprint, sum)
	}
}

// An answer proves itself by its own count: it is complete though the table is not what was counted.
func fetchChanged(t *testing.T, h SourceHarness) {
	before := partsOf(h.rowsOf(t, h.Table.Name), 1, tvmexport.AllPartitions)
	h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	h.Change(t)
	keys, _ := h.fetch(t, whole(h.Table))
	rows := h.rowsOf(t, h.Table.Name)
	differ(t, keys, keysOf(rows))
	inserted, removed := false, false
	after := partsOf(rows, 1, tvmexport.AllPartitions)
	for _, d := range []byte("0123456789abcdef~") {
		p := tvmexport.AllPartitions.Child(d)
		inserted = inserted || after[p] > before[p]
		removed = removed || after[p] < before[p]
	}
	if !inserted || !removed {
		t.Errorf("the harness inserted rows: %t, removed rows: %t", inserted, removed)
	}
}

// corrupted fetches an answer that is corrupted, and says whether it passes for a complete one.
func (h SourceHarness) corrupted(t *testing.T, how Corruption) (keys []string, complete bool) {
	t.Helper()
	h.Corrupt(t, how)
	s := whole(h.Table)
	l := &rowList{t: t, of: s}
	a, err := h.Source.Fetch(t.Context(), s, l)
	return l.keys, err == nil && a.Complete()
}

func fetchCut(t *testing.T, h SourceHarness) {
	if _, complete := h.corrupted(t, Cut); complete {
		t.Error("an answer without all its rows passes for a complete one")
	}
	h.fetch(t, whole(h.Table)) // the next one is as it should be
}

func fetchDuplicated(t *testing.T, h SourceHarness) {
	if _, complete := h.corrupted(t, Duplicated); complete {
		t.Error("an answer with a duplicated row passes for a complete one")
	}
	h.fetch(t, whole(h.Table))
}

func fetchReordered(t *testing.T, h SourceHarness) {
	keys, complete := h.corrupted(t, Reordered)
	if !complete {
		t.Error("an answer in another order does not pass for a complete one")
	}
	differ(t, keys, keysOf(h.rowsOf(t, h.Table.Name)))
}

// refusing takes no row.
type refusing struct{ err error }

func (r refusing) WriteRow(_, _ []byte) error { return r.err }

func fetchWriter(t *testing.T, h SourceHarness) {
	full := errors.New("the writer is full")
	if _, err := h.Source.Fetch(t.Context(), whole(h.Table), refusing{full}); !errors.Is(err, full) {
		t.Errorf("the fetch ends with %v, want the writer's error", err)
	}
}

func fetchEnded(t *testing.T, h SourceHarness) {
	s := whole(h.Table)
	if _, err := h.Source.Fetch(ended(t), s, &rowList{t: t, of: s}); err == nil {
		t.Error("a fetch succeeds though its context has ended")
	}
}
