package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/check"
)

// judge compares what readers see of the tables that a run exported with the
// source. If the source did not change, both are equal. If it changed, or if
// the run reused batches of an earlier run, each row is in some state of that
// time, and every row that is in all these states is there.
func (w *world) judge(ctx context.Context, m *mood, r result) {
	w.remember(m.states)
	judged := false
	for _, o := range r.report.Outcomes {
		i := slices.IndexFunc(w.tables, func(t check.Table) bool { return t.Name == o.Table.Name })
		if o.Err != nil || i < 0 {
			continue
		}
		t, states := w.tables[i], m.states
		if o.Resumed > 0 {
			states = w.past[t.Name]
		}
		if m.took == t.Name { // the next run that succeeds makes up for what is gone
			if _, err := w.oracle.noneDoubled(ctx, states, t); err != nil {
				w.fail("%v", err)
			}
		} else if len(states) > 1 {
			if err := w.oracle.between(ctx, states, t); err != nil {
				w.fail("%v", err)
			}
		} else if err := w.oracle.equal(ctx, t); err != nil {
			w.fail("%v", err)
		}
		w.past[t.Name] = m.states[len(m.states)-1:]
		judged = true
	}
	if judged {
		w.tally.held()
	}
	if len(m.states) == 1 && m.took == "" && len(r.failed()) == 0 && !r.resumed() && len(r.report.Outcomes) > 0 {
		exported := func(table string) bool { // an administrator may have deactivated the others
			return slices.ContainsFunc(r.report.Outcomes, func(o engine.Result) bool { return o.Table.Name == table })
		}
		if err := w.book.Note(ctx, exported); err != nil {
			w.fail("%v", err)
		}
	}
}

// remember keeps the states that a run has met.
func (w *world) remember(states []state) {
	for _, t := range w.tables {
		w.past[t.Name] = append(w.past[t.Name], states...)
	}
}

// oracle compares what readers see with what the source holds.
type oracle struct {
	emulator *emulator.Emulator
	tables   []check.Table
}

// equal is an error if readers see other rows than the source holds now.
func (o oracle) equal(ctx context.Context, t check.Table) error {
	differ := check.Readers(ctx, o.emulator, o.emulator.Tenant().Edge(), []check.Table{t})
	if len(differ) == 0 {
		return nil
	}
	now, err := o.state(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %v", differ[0], o.between(ctx, []state{now}, t)) // which names a row
}

// state is the source at one moment: of each table the rows, sorted.
type state map[string][]string

func (o oracle) state(ctx context.Context) (state, error) {
	s := state{}
	for _, t := range o.tables {
		rows, err := o.rows(ctx, "truth", t.Name)
		if err != nil {
			return nil, err
		}
		s[t.Name] = rows
	}
	return s, nil
}

// between says where readers see what none of the states explains.
func (o oracle) between(ctx context.Context, states []state, t check.Table) error {
	have, err := o.noneDoubled(ctx, states, t)
	if err != nil {
		return err
	}
	least := copies(states[0][t.Name])
	for _, s := range states[1:] {
		now := copies(s[t.Name])
		for row, n := range least {
			least[row] = min(n, now[row])
		}
	}
	// Rows that are in every state have to be there (of events: those that had not expired).
	for row, n := range least {
		if have[row] < n {
			return fmt.Errorf("%s: a row is lost while the source moves: %d times, at least %d in every state: %s", t.Name, have[row], n, brief(row))
		}
	}
	return nil
}

// noneDoubled is an error if readers see a row more often than each of the
// states holds it. It gives what they see.
func (o oracle) noneDoubled(ctx context.Context, states []state, t check.Table) (have map[string]int, err error) {
	seen, err := o.rows(ctx, "landed", t.Query(o.emulator.Tenant().Edge()))
	if err != nil {
		return nil, err
	}
	most := map[string]int{}
	for _, s := range states {
		for row, n := range copies(s[t.Name]) {
			most[row] = max(most[row], n)
		}
	}
	have = copies(seen)
	for row, n := range have {
		if n > most[row] {
			return have, fmt.Errorf("%s: a row is duplicated while the source changes: %d times, at most %d in any state: %s", t.Name, n, most[row], brief(row))
		}
	}
	return have, nil
}

// brief is what tells a row from others.
func brief(row string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(row), &members) != nil {
		return row
	}
	var out []string
	for _, name := range []string{"Timestamp", "DeviceId", "ReportId"} {
		if v, ok := members[name]; ok {
			out = append(out, fmt.Sprintf("%s %s", name, v))
		}
	}
	if len(out) > 1 {
		return strings.Join(out, ", ")
	}
	return fmt.Sprintf("%.300s", row)
}

func copies(rows []string) map[string]int {
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r]++
	}
	return out
}

// rows are the canonical rows of a query over the source or the destination, sorted.
func (o oracle) rows(ctx context.Context, of, query string) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.emulator.Endpoints().Control+"/"+of+"?rows=1&q="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := o.emulator.Transport().RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", query, body)
	}
	rows := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if len(body) == 0 {
		rows = nil
	}
	slices.Sort(rows)
	return rows, nil
}
