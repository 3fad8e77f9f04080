package kusto

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// ledgerFake executes the texts of Publish in memory: claims, extents with tags,
// operations. It recognises the texts by their beginnings in the golden files.
type ledgerFake struct {
	claims  []fakeClaim
	extents []fakeExtent
	landed  map[string]int // rows by batch
	before  func(text string) *conntest.Reply
	after   func(text string) *conntest.Reply // the text was carried out, but this is answered
	ops     int
	fail    map[int]string // by ordinal of the operation: its state
}

// fakeClaim is a row of the ledger that a publication has written.
type fakeClaim struct{ run, state string }

type fakeExtent struct {
	tags []string
	rows int
}

var (
	tagsOf      = regexp.MustCompile(`tags = '\["([^']*)"\]', ingestIfNotExists = '\["([^"]*)"\]'`)
	runOf       = regexp.MustCompile(`RunId = "([^"]*)", State = "([a-z]*)"`)
	batchLabels = regexp.MustCompile(`"([^"]*\.\d{4})"`)
	wholeTag    = regexp.MustCompile(`tags has "([^"]*)"`)
)

func (l *ledgerFake) serve(text string) conntest.Reply {
	if l.before != nil {
		if r := l.before(text); r != nil {
			return *r
		}
	}
	out := l.carryOut(text)
	if l.after != nil {
		if r := l.after(text); r != nil {
			return *r
		}
	}
	return out
}

func (l *ledgerFake) taken(key string) bool {
	for _, e := range l.extents {
		for _, tag := range e.tags {
			if tag == "ingest-by:"+key {
				return true
			}
		}
	}
	return false
}

func (l *ledgerFake) carryOut(text string) conntest.Reply {
	extent := []kql.Column{{Name: "ExtentId", Kind: "guid"}}
	switch {
	case strings.HasPrefix(text, ".set-or-append async "):
		l.ops++
		id := fmt.Sprintf("00000000-0000-0000-0000-%012d", l.ops)
		m := tagsOf.FindStringSubmatch(text)
		if _, failed := l.fail[l.ops]; !failed && !l.taken(m[2]) {
			rows := 0
			for _, b := range batchLabels.FindAllStringSubmatch(text, -1) {
				rows += l.landed[b[1]]
			}
			if rows > 0 {
				l.extents = append(l.extents, fakeExtent{strings.Split(m[1], `","`), rows})
			}
		}
		return conntest.Reply{Columns: []kql.Column{{Name: "OperationId", Kind: "guid"}}, Rows: [][]any{{id}}}
	case strings.HasPrefix(text, ".set-or-append "):
		m := tagsOf.FindStringSubmatch(text)
		if l.taken(m[2]) {
			return conntest.Reply{Columns: extent}
		}
		l.extents = append(l.extents, fakeExtent{strings.Split(m[1], `","`), 1})
		if r := runOf.FindStringSubmatch(text); r != nil && strings.Contains(text, "print Table") {
			l.claims = append(l.claims, fakeClaim{r[1], r[2]})
		}
		return conntest.Reply{Columns: extent, Rows: [][]any{{"11111111-1111-1111-1111-111111111111"}}}
	case strings.HasPrefix(text, ".show operations |"):
		return conntest.Reply{Columns: []kql.Column{{Name: "Count", Kind: "long"}}, Rows: [][]any{{0}}}
	case strings.HasPrefix(text, ".show operations "):
		state := "Completed"
		if s, ok := l.fail[l.ops]; ok {
			state = s
		}
		return conntest.Reply{Columns: []kql.Column{{Name: "State", Kind: "string"}, {Name: "Status", Kind: "string"}, {Name: "ShouldRetry", Kind: "bool"}}, Rows: [][]any{{state, "why", false}}}
	case strings.Contains(text, " extents where tags has "):
		out := conntest.Reply{Columns: []kql.Column{{Name: "Tags", Kind: "string"}, {Name: "Rows", Kind: "long"}}}
		want := wholeTag.FindStringSubmatch(text)[1]
		for _, e := range l.extents {
			for _, tag := range e.tags {
				if tag == want {
					out.Rows = append(out.Rows, []any{strings.Join(e.tags, "\r\n"), e.rows})
				}
			}
		}
		return out
	case strings.Contains(text, "RunId, State, Owner = "):
		out := conntest.Reply{Columns: []kql.Column{{Name: "Seen", Kind: "datetime"}, {Name: "RunId", Kind: "string"}, {Name: "State", Kind: "string"}, {Name: "Owner", Kind: "string"}, {Name: "Shape", Kind: "long"}}}
		for _, c := range l.claims {
			out.Rows = append(out.Rows, []any{"2026-11-23T05:00:00Z", c.run, c.state, "", nil})
		}
		return out
	case strings.Contains(text, `State == "committed"`):
		return conntest.Reply{Columns: []kql.Column{{Name: "Count", Kind: "long"}}, Rows: [][]any{{0}}}
	case strings.Contains(text, "| distinct BatchId, Line"):
		rows := 0
		for _, b := range batchLabels.FindAllStringSubmatch(text, -1) {
			rows += l.landed[b[1]]
		}
		return conntest.Reply{Columns: []kql.Column{{Name: "Count", Kind: "long"}}, Rows: [][]any{{rows}}}
	}
	return conntest.Refusal(400, "General_BadRequest", "the fake does not know "+text, true)
}

func newLedger() *ledgerFake {
	run := string(goldenRun.ID)
	return &ledgerFake{landed: map[string]int{run + ".0001": 1, run + ".0002": 2, run + ".0003": 2}, fail: map[int]string{}}
}

// publish runs Publish in a bubble, where waiting takes no time.
func publishOn(t *testing.T, l *ledgerFake, p tvmexport.Publication) (rows int64, sent []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &conntest.Fake{Answer: l.serve}
		c := connect(t, f)
		c.conn.SetColumns(p.Run.Table.Destination, kql.RawColumns)
		var out tvmexport.Published
		out, err = c.Publish(t.Context(), p)
		rows = out.Rows
		sent = f.Sent()
	})
	return rows, sent, err
}

func (l *ledgerFake) published() int {
	rows := 0
	for _, e := range l.extents {
		for _, tag := range e.tags {
			if strings.HasPrefix(tag, "drop-by:") {
				rows += e.rows
			}
		}
	}
	return rows
}

func TestPublish(t *testing.T) {
	l := newLedger()
	rows, sent, err := publishOn(t, l, goldenPublication)
	if err != nil || rows != 5 || l.published() != 5 {
		t.Fatalf("%d rows, %d in the table, %v; want 5", rows, l.published(), err)
	}
	var order []string
	for _, text := range sent {
		order = append(order, strings.Join(strings.Fields(text)[:3], " "))
	}
	want := []string{
		".set-or-append ExportPartitions with", ".set-or-append ExportRuns with", "union ( ExportRuns",
		".set-or-append async DeviceProcessEventsRaw", ".show operations 00000000-0000-0000-0000-000000000001",
		".set-or-append async DeviceProcessEventsRaw", ".show operations 00000000-0000-0000-0000-000000000002",
		".show table DeviceProcessEventsRaw",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	// Again, by any process: nothing more.
	if rows, _, err = publishOn(t, l, goldenPublication); err != nil || rows != 5 || l.published() != 5 || l.ops != 2 {
		t.Errorf("again: %d rows, %d in the table, %d operations, %v", rows, l.published(), l.ops, err)
	}
}

func TestPublishNothing(t *testing.T) {
	l := newLedger()
	p := goldenPublication
	p.Steps, p.Rows = nil, 0
	if rows, _, err := publishOn(t, l, p); err != nil || rows != 0 || len(l.claims) != 1 {
		t.Errorf("%d rows, claims %v, %v; a run without rows claims its base as well", rows, l.claims, err)
	}
}

// TestPublishInterrupted: the next attempt continues at any step at which an
// earlier one stopped.
func TestPublishInterrupted(t *testing.T) {
	for at := range 8 {
		l := newLedger()
		n := 0
		l.before = func(string) *conntest.Reply {
			if n++; n > at {
				r := conntest.Refusal(400, "General_BadRequest", "stopped", true)
				return &r
			}
			return nil
		}
		if _, _, err := publishOn(t, l, goldenPublication); err == nil {
			t.Fatalf("stopped at %d: no error", at)
		}
		l.before = nil
		if rows, _, err := publishOn(t, l, goldenPublication); err != nil || rows != 5 || l.published() != 5 {
			t.Errorf("stopped at %d, then resumed: %d rows, %d in the table, %v", at, rows, l.published(), err)
		}
	}
}

// TestPublishInDoubt: every text is carried out and answered with 504 once, or
// the connection is cut; the rows are there once.
func TestPublishInDoubt(t *testing.T) {
	for name, doubt := range map[string]conntest.Reply{
		"504": conntest.Refusal(504, "Timeout", "", false), "520": {Status: 520}, "cut": {Cut: true},
	} {
		l := newLedger()
		seen := map[string]bool{}
		l.after = func(text string) *conntest.Reply {
			if seen[text] {
				return nil
			}
			seen[text] = true
			return &doubt
		}
		if rows, _, err := publishOn(t, l, goldenPublication); err != nil || rows != 5 || l.published() != 5 {
			t.Errorf("%s: %d rows, %d in the table, %v", name, rows, l.published(), err)
		}
	}
}

func TestPublishOperationFails(t *testing.T) {
	for _, c := range []struct {
		state  string
		action tvmexport.Action // 0: it succeeds in the end
	}{
		{"Throttled", 0}, {"Abandoned", 0}, {"Failed", tvmexport.Stop}, {"BadInput", tvmexport.Stop},
	} {
		l := newLedger()
		l.fail[1] = c.state
		rows, _, err := publishOn(t, l, goldenPublication)
		if c.action == 0 && (err != nil || rows != 5 || l.published() != 5) {
			t.Errorf("%s: %d rows, %v", c.state, rows, err)
		}
		if c.action != 0 && (tvmexport.ActionOf(err) != c.action || err == nil || !strings.Contains(err.Error(), c.state)) {
			t.Errorf("%s: %v, want action %d", c.state, err, c.action)
		}
	}
}

// TestPublishOperationStaysInProgress: the table decides where the state of an
// operation does not change, and a run does not wait for it without end.
func TestPublishOperationStaysInProgress(t *testing.T) {
	stays := func(text string) *conntest.Reply {
		if !strings.HasPrefix(text, ".show operations 0") {
			return nil
		}
		return &conntest.Reply{Columns: []kql.Column{{Name: "State", Kind: "string"}, {Name: "Status", Kind: "string"}, {Name: "ShouldRetry", Kind: "bool"}}, Rows: [][]any{{"InProgress", "", false}}}
	}
	for name, c := range map[string]struct {
		before func(text string) *conntest.Reply
		fail   map[int]string // operations that do nothing
		want   string         // of the error; "": none
		within time.Duration
	}{
		"all are carried out":        {stays, nil, "", 10 * time.Minute},
		"the first does nothing":     {nil, map[int]string{1: "InProgress"}, "", 80 * time.Minute},
		"none of them does anything": {stays, map[int]string{1: "", 2: "", 3: "", 4: "", 5: ""}, "in progress after 1h10m0s", 7 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.before = c.before
			if c.fail != nil {
				l.fail = c.fail
			}
			var took time.Duration
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: l.serve}
				client := connect(t, f)
				client.conn.SetColumns(goldenPublication.Run.Table.Destination, kql.RawColumns)
				began := time.Now()
				_, err := client.Publish(t.Context(), goldenPublication)
				took = time.Since(began)
				if c.want == "" && (err != nil || l.published() != 5) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%d rows in the table: %v", l.published(), err)
				}
			})
			if took > c.within {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestPublishSuperseded(t *testing.T) {
	l := newLedger()
	if _, _, err := publishOn(t, l, goldenPublication); err != nil {
		t.Fatal(err)
	}
	other := goldenPublication
	other.Run.ID = "20261123T060000Z-000000000000"
	_, _, err := publishOn(t, l, other)
	if !errors.Is(err, tvmexport.ErrSuperseded) || tvmexport.CauseOf(err) != tvmexport.LeaseHeld || !strings.Contains(err.Error(), string(goldenRun.ID)) {
		t.Errorf("%v, want ErrSuperseded that names the other run", err)
	}
	if l.published() != 5 {
		t.Errorf("%d rows in the table, want 5", l.published())
	}
	// A run without rows is kept off the base as well.
	other.Steps, other.Rows = nil, 0
	if _, _, err := publishOn(t, l, other); !errors.Is(err, tvmexport.ErrSuperseded) {
		t.Errorf("without rows: %v", err)
	}
}

// TestPublishRace: the guards let two runs in at once; the ledger decides.
func TestPublishRace(t *testing.T) {
	l := newLedger()
	l.claims = []fakeClaim{{"20261123T040000Z-111111111111", kql.PublishingState}}
	if _, _, err := publishOn(t, l, goldenPublication); !errors.Is(err, tvmexport.ErrSuperseded) {
		t.Errorf("%v, want ErrSuperseded", err)
	}
	if l.ops != 0 {
		t.Errorf("%d steps were begun", l.ops)
	}
}

// TestPublishGivenUp: landed rows are gone before a publication was finished.
// It is given up once, and its base is free for the next run.
func TestPublishGivenUp(t *testing.T) {
	l := newLedger()
	l.fail[2] = "Failed" // the second step
	if _, _, err := publishOn(t, l, goldenPublication); err == nil {
		t.Fatal("the second step failed, but no error")
	}
	delete(l.landed, string(goldenRun.ID)+".0003")
	l.fail = map[int]string{}
	_, _, err := publishOn(t, l, goldenPublication)
	if tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "abandoned") {
		t.Fatalf("%v, want that it was abandoned", err)
	}
	next := goldenPublication
	next.Run.ID = "20261207T060000Z-000000000000"
	next.Steps = []tvmexport.PublicationStep{{Batches: []tvmexport.BatchID{"20261207T060000Z-000000000000.0001"}, Rows: 7}}
	next.Rows = 7
	l.landed["20261207T060000Z-000000000000.0001"] = 7
	if rows, _, err := publishOn(t, l, next); err != nil || rows != 7 {
		t.Errorf("the next run: %d rows, %v, want 7", rows, err)
	}
	// It is interrupted before its commit: another process finishes it by the same guards.
	before := l.published()
	if rows, _, err := publishOn(t, l, next); err != nil || rows != 7 {
		t.Errorf("the next run once more: %d rows, %v, want 7", rows, err)
	}
	if l.published() != before {
		t.Errorf("%d rows in the table, want the %d of before", l.published(), before)
	}
}

// TestPublishClaimDeleted: somebody deleted the row of a claim from the ledger, and
// the guard of the claim is still there. The next run publishes behind guards of
// its own, also when another process finishes it.
func TestPublishClaimDeleted(t *testing.T) {
	l := newLedger()
	if _, _, err := publishOn(t, l, goldenPublication); err != nil {
		t.Fatal(err)
	}
	l.claims = nil
	next := goldenPublication
	next.Run.ID = "20261207T060000Z-000000000000"
	next.Steps = []tvmexport.PublicationStep{{Batches: []tvmexport.BatchID{"20261207T060000Z-000000000000.0001"}, Rows: 7}}
	next.Rows = 7
	l.landed["20261207T060000Z-000000000000.0001"] = 7
	for range 2 {
		if rows, _, err := publishOn(t, l, next); err != nil || rows != 7 {
			t.Fatalf("%d rows, %v, want 7", rows, err)
		}
		next.Apart = true // as the ledger says to the process that finishes it
		if n := l.published(); n != 12 {
			t.Errorf("%d rows in the table, want 5 and 7", n)
		}
	}
}

// TestPublishLeavesNothing: the landing table lost the rows between count and
// publication.
func TestPublishLeavesNothing(t *testing.T) {
	l := newLedger()
	l.landed = nil
	_, _, err := publishOn(t, l, goldenPublication)
	if tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "left no rows") {
		t.Errorf("%v, want an unproven publication", err)
	}
}
