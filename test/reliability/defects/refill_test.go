package defects_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// A refill that dies at any of its requests, or right after the service has executed
// one, leaves each run as it was or rebuilt. Readers who look all the while see
// nothing else, and the next refill completes the work.
func TestRefillKilledAtEachRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("executed %t", answered), func(t *testing.T) {
			refilled(t, func(r refiller) {
				deaths := 0
				for {
					r.makeOld()
					if _, died := r.refillUntil(deaths+1, answered); !died {
						break
					}
					deaths += stride
					time.Sleep(15 * time.Minute) // the lease expires
					r.seesRuns(fmt.Sprintf("after death %d", deaths))
					if err := r.refillAgain(nil); err != nil {
						t.Fatalf("after death %d: %v", deaths, err)
					}
					r.isRebuilt(fmt.Sprintf("after death %d", deaths))
				}
				if deaths < 20 {
					t.Errorf("a refill has %d requests, want more: the test misses them", deaths)
				}
				r.isRebuilt("at the end")
			})
		})
	}
}

// The service executes the replacement of a refill that died late: at any request of
// the next refill, or after it. Readers see each run once.
func TestReplacementExecutedDuringTheNextRefill(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	refilled(t, func(r refiller) {
		for late, done := 1, false; !done; late += stride {
			r.makeOld()
			text := r.refillWithout(".update async table")
			time.Sleep(15 * time.Minute)
			done = true
			// The next refill can find that another one changed the bench; then it says so.
			err := r.refillAgain(func(request int) {
				if request == late {
					done = false
					r.executeLate(text)
				}
			})
			if err != nil && !strings.Contains(err.Error(), "run tvmexport refill again") {
				t.Errorf("late at request %d: %v", late, err)
			}
			time.Sleep(15 * time.Minute)
			r.executeLate(text)
			r.seesRuns(fmt.Sprintf("late at request %d", late))
			if err := r.refillAgain(nil); err != nil {
				t.Errorf("late at request %d, and again: %v", late, err)
			}
			r.isRebuilt(fmt.Sprintf("late at request %d", late))
		}
	})
}

// An answer that says nothing about the replacement is settled by what the table holds.
func TestReplacementWithoutAnAnswer(t *testing.T) {
	for name, rule := range map[string]faults.Rule{
		"executed":      {Status: http.StatusGatewayTimeout, Apply: true},
		"executed late": {Status: http.StatusGatewayTimeout, Late: faults.Duration(time.Second)},
		"cut":           {CutAfter: 1},
	} {
		t.Run(name, func(t *testing.T) {
			refilled(t, func(r refiller) {
				r.makeOld()
				rule.Endpoint, rule.Match, rule.Count = faults.KustoMgmt, ".update async table", 1
				r.fault(rule)
				if err := r.refillAgain(nil); err != nil {
					r.Fatal(err)
				}
				r.isRebuilt(name)
			})
		})
	}
}

// executeLate executes a replacement that its process did not see executed. It can
// fail: the next refill may have dropped the bench.
func (r refiller) executeLate(text string) {
	if _, err := r.emulator.Command(r.Context(), "", text); err == nil {
		time.Sleep(time.Second) // the command runs by itself
	}
}

// refiller is a rig with refills, which can die.
type refiller struct{ *rig }

// refilled makes a rig with two runs of 50 rows each in typed rows and records.
func refilled(t *testing.T, story func(r refiller)) {
	t.Helper()
	choose(t, tvmexport.Incremental, func(r *rig) {
		r.table.Layout = tvmexport.Both
		r.setUp()
		began := day(r).Add(-3 * time.Hour)
		rows := rowsFrom("ab", 50, began)
		r.export(rows, began.Add(time.Hour))
		time.Sleep(time.Hour)
		r.export(append(rows, rowsFrom("cd", 50, began.Add(61*time.Minute))...), began.Add(2*time.Hour))
		story(refiller{r})
	})
}

// makeOld makes N of each typed row negative, so that rebuilt rows differ from it.
func (r refiller) makeOld() {
	r.Helper()
	r.asAdmin(fmt.Sprintf(`.update table %[1]s delete D append A <|
let D = %[1]s | where N >= 0;
let A = D | extend N = -1 - N | project-reorder DeviceId, N, Timestamp, RunId, Partition, ExportedAt;`, r.table.Typed()))
	if d := r.states(); !slices.Equal(d, []string{"ab 50 old", "cd 50 old"}) {
		r.Fatalf("the rows are not old: %q", d)
	}
}

// states are how many rows readers see of each run, and whether these are old, new
// or both.
func (r refiller) states() []string {
	r.Helper()
	return r.rowsAs(events + ` | summarize Rows = count(), New = countif(N >= 0) by Run = substring(DeviceId, 0, 2)
| project State = strcat(Run, " ", Rows, " ", case(New == 0, "old", New == Rows, "new", "both"))`)
}

// rowsAs are the values of the one column of a query, sorted.
func (r refiller) rowsAs(query string) []string {
	r.Helper()
	rows := r.rows("landed", query)
	for i, row := range rows {
		_, value, _ := strings.Cut(strings.Trim(row, "{}"), ":")
		rows[i] = strings.Trim(value, `"`)
	}
	return rows
}

// seesRuns wants readers to see each run once: as it was or rebuilt.
func (r refiller) seesRuns(when string) {
	r.Helper()
	got := r.states()
	for i, run := range []string{"ab", "cd"} {
		if len(got) != 2 || got[i] != run+" 50 old" && got[i] != run+" 50 new" {
			r.Errorf("%s: readers see %q", when, got)
			return
		}
	}
}

func (r refiller) isRebuilt(when string) {
	r.Helper()
	if got := r.states(); !slices.Equal(got, []string{"ab 50 new", "cd 50 new"}) {
		r.Errorf("%s: readers see %q, want rebuilt rows", when, got)
	}
	r.none(when+": the typed table holds other rows than the ledger says", r.table.Typed()+` | summarize Have = count() by RunId
| join kind=fullouter (ExportRuns | where State == "committed" and Rows > 0 | project RunId, Rows) on RunId
| where coalesce(Have, 0) != coalesce(Rows, -1)`)
}

// mortal is the connection of a process that dies at a request: before the service
// receives it, or before its answer comes.
type mortal struct {
	to       http.RoundTripper
	before   func(request int, text string) (alive bool)
	answered bool // the service executes the last request
	requests atomic.Int64
	dead     atomic.Bool
	die      context.CancelFunc
}

func (m *mortal) RoundTrip(q *http.Request) (*http.Response, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	text, err := commandOf(q)
	if err != nil {
		return nil, err
	}
	if m.before(int(m.requests.Add(1)), text) {
		return m.to.RoundTrip(q)
	}
	m.dead.Store(true)
	defer m.die()
	if m.answered {
		if answer, err := m.to.RoundTrip(q); err == nil {
			answer.Body.Close()
		}
	}
	return nil, errDead
}

// commandOf is the query or command in a request, "" if it has none.
func commandOf(q *http.Request) (string, error) {
	if q.Body == nil {
		return "", nil
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return "", err
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	var asked struct {
		Text string `json:"csl"`
	}
	_ = json.Unmarshal(body, &asked) // other requests have no such member
	return asked.Text, nil
}

// refill refills as a new process with the connection m, while a reader looks.
func (r refiller) refill(m *mortal) error {
	r.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	m.to, m.die = r.emulator.Transport(), cancel
	r.connectBy(&http.Client{Transport: m})
	ended := make(chan error)
	go func() {
		list, err := r.exporter.Backfill(ctx, nil)
		for _, b := range list {
			err = errors.Join(err, b.Err)
		}
		ended <- err
	}()
	for pause := 7 * time.Millisecond; ; pause = pause * 11 / 10 { // a refill can wait for minutes
		select {
		case err := <-ended:
			r.connect()
			return err
		case <-time.After(pause):
			r.seesRuns("while a refill runs")
		}
	}
}

// refillUntil refills until the process dies at a request.
func (r refiller) refillUntil(request int, answered bool) (err error, died bool) {
	r.Helper()
	m := &mortal{answered: answered, before: func(n int, _ string) bool { return n != request }}
	err = r.refill(m)
	return err, m.dead.Load()
}

// refillWithout refills until the process is about to send a command, which it gives.
func (r refiller) refillWithout(command string) (text string) {
	r.Helper()
	_ = r.refill(&mortal{before: func(_ int, asked string) bool {
		text = asked
		return !strings.HasPrefix(asked, command)
	}})
	return text
}

// refillAgain refills to the end. at is called before each request.
func (r refiller) refillAgain(at func(request int)) error {
	r.Helper()
	return r.refill(&mortal{before: func(n int, _ string) bool {
		if at != nil {
			at(n)
		}
		return true
	}})
}
