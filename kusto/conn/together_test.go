package conn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

var jointColumns = []kql.Column{{Name: "N", Kind: "long"}, {Name: partColumn, Kind: "long"}, {Name: orderColumn, Kind: "long"}, {Name: countColumn, Kind: "long"}}

// row and count are rows of a joint answer.
func row(part, order, n int) []any { return []any{n, part, order, nil} }
func count(part, rows int) []any   { return []any{nil, part, nil, rows} }
func joint(rows ...[]any) [][]any  { return rows }
func isJoint(text string) bool     { return strings.HasPrefix(text, "let Query0 = () {") }
func single(n int) conntest.Reply {
	return conntest.Reply{Columns: jointColumns[:1], Rows: [][]any{{n}}}
}
func refused(why bool) conntest.Reply { return conntest.Refusal(400, "BadRequest", "no", why) }

// askBoth asks two queries at the same time: their rows, or errors.
func askBoth(t *testing.T, c *Conn) (out [2]string) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			s := Statement{Op: "read", Table: fmt.Sprintf("T%d", i), Text: fmt.Sprintf("Table%d", i)}
			rows, err := c.Ask(t.Context(), s)
			if err != nil {
				out[i] = err.Error()
				return
			}
			numbers, err := ReadRows(s, rows, func(r *Reader) int64 { return r.Long("N") })
			out[i] = fmt.Sprint(numbers)
			if err != nil {
				out[i] = err.Error()
			}
		})
	}
	wg.Wait()
	return out
}

// Each part of a joint answer is proven by itself, and what is not is asked alone.
func TestPartsOfAJointAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		answer [][]any
		want   [2]string
		alone  []string // what is asked after the joint query
	}{
		"complete":            {joint(row(1, 1, 7), count(1, 1), count(0, 2), row(0, 2, 6), row(0, 1, 5)), [2]string{"[5 6]", "[7]"}, nil},
		"no rows":             {joint(count(1, 0), count(0, 0)), [2]string{"[]", "[]"}, nil},
		"a row is missing":    {joint(row(0, 1, 5), count(0, 2), row(1, 1, 7), count(1, 1)), [2]string{"[100]", "[7]"}, []string{"Table0"}},
		"a row in the middle": {joint(row(0, 1, 5), row(0, 3, 5), count(0, 3), row(1, 1, 7), count(1, 1)), [2]string{"[100]", "[7]"}, []string{"Table0"}},
		"a row comes twice":   {joint(row(0, 1, 5), row(0, 1, 5), count(0, 2), row(1, 1, 7), count(1, 1)), [2]string{"[100]", "[7]"}, []string{"Table0"}},
		"a count is missing":  {joint(row(0, 1, 5), row(1, 1, 7), count(0, 1)), [2]string{"[5]", "[101]"}, []string{"Table1"}},
		"a count comes twice": {joint(row(0, 1, 5), count(0, 1), count(0, 1), count(1, 0)), [2]string{"[100]", "[]"}, []string{"Table0"}},
		"nothing":             {nil, [2]string{"[100]", "[101]"}, []string{"Table0", "Table1"}},
		"an unknown part":     {joint(row(2, 1, 5), count(0, 0), count(1, 0)), [2]string{"[100]", "[101]"}, []string{"Table0", "Table1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: func(text string) conntest.Reply {
					if isJoint(text) {
						return conntest.Reply{Columns: jointColumns, Rows: test.answer}
					}
					return single(100 + int(text[len(text)-1]-'0'))
				}}
				if got := askBoth(t, connect(t, f)); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				sent := f.Sent()
				slices.Sort(sent)
				if len(sent) != len(test.alone)+1 || !slices.Equal(sent[:len(test.alone)], test.alone) {
					t.Errorf("sent %q", sent)
				}
			})
		})
	}
}

// A refused joint query says nothing of its parts: the error of one of them is not that
// of the others. A service that does not answer is one for all.
func TestFailuresOfAJointQuery(t *testing.T) {
	for name, test := range map[string]struct {
		joint conntest.Reply
		want  [2]string
		sent  int
	}{
		"refused":             {refused(true), [2]string{"[100]", "read T1: "}, 3},
		"types that conflict": {conntest.Reply{Columns: append([]kql.Column{{Name: "N_long", Kind: "long"}}, jointColumns[1:]...), Rows: joint(row(0, 1, 5), count(0, 1), count(1, 0))}, [2]string{"[100]", "read T1: "}, 3},
		"no answer":           {conntest.Refusal(503, "ServiceUnavailable", "later", false), [2]string{"read T0: ", "read T1: "}, attempts},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: func(text string) conntest.Reply {
					switch {
					case isJoint(text):
						return test.joint
					case text == "Table1":
						return refused(true)
					}
					return single(100)
				}}
				got := askBoth(t, connect(t, f))
				for i := range got {
					if !strings.HasPrefix(got[i], test.want[i]) {
						t.Errorf("answer %d is %q, want %q", i, got[i], test.want[i])
					}
				}
				if sent := f.Sent(); len(sent) != test.sent {
					t.Errorf("%d requests, want %d: %q", len(sent), test.sent, sent)
				}
			})
		})
	}
}

// Queries of control tables do not wait for those that read data.
func TestScansAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &conntest.Fake{Answer: func(string) conntest.Reply { return single(1) }}
		c := connect(t, f)
		var wg sync.WaitGroup
		for _, s := range []Statement{{Op: "read", Text: "Control"}, {Op: "read", Text: "Data", Scans: true}} {
			wg.Go(func() { _, _ = c.Ask(t.Context(), s) })
		}
		wg.Wait()
		sent := f.Sent()
		slices.Sort(sent)
		if !slices.Equal(sent, []string{"Control", "Data"}) {
			t.Errorf("sent %q", sent)
		}
	})
}

func TestJointTexts(t *testing.T) {
	got := jointText([]Statement{{Text: "let X = 1;\nT | where Y == X"}, {Text: "U"}})
	const want = `let Query0 = () {
let X = 1;
T | where Y == X
};
let Rows0 = materialize(Query0() | serialize JointRow = row_number());
let Query1 = () {
U
};
let Rows1 = materialize(Query1() | serialize JointRow = row_number());
union (
Rows0
| extend JointPart = 0
), (
Rows0
| summarize JointRows = count()
| extend JointPart = 0
), (
Rows1
| extend JointPart = 1
), (
Rows1
| summarize JointRows = count()
| extend JointPart = 1
)`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// Rows of several tables share a command whose guards are those of all. Only if it wrote
// every row has each caller written its own; otherwise each caller's own guard decides.
func TestJointAppends(t *testing.T) {
	id, rows := kql.Column{Name: "ExtentId", Kind: "guid"}, kql.Column{Name: "RowCount", Kind: "long"}
	wrote := func(n ...any) conntest.Reply {
		r := conntest.Reply{Columns: []kql.Column{id, rows}}
		for _, n := range n {
			r.Rows = append(r.Rows, []any{"11111111-1111-1111-1111-111111111111", n})
		}
		return r
	}
	const alone = ".set-or-append Control with (tags = '[\"ingest-by:k%d\"]', ingestIfNotExists = '[\"k%[1]d\"]') <|\nprint N = %[1]d"
	const together = `.set-or-append Control with (tags = '["ingest-by:k0","ingest-by:k1"]', ingestIfNotExists = '["k0","k1"]') <|
union (
print N = 0
| where not(there(0))
), (
print N = 1
| where not(there(1))
)`
	for name, test := range map[string]struct {
		joint conntest.Reply
		want  [2]string
		sent  int
	}{
		"all rows":               {wrote(2), [2]string{"true", "true"}, 1},
		"in two extents":         {wrote(1, 1), [2]string{"true", "true"}, 1},
		"a key was taken":        {wrote(), [2]string{"true", "false"}, 3},
		"one row":                {wrote(1), [2]string{"true", "false"}, 3},
		"too many rows":          {wrote(3), [2]string{"true", "false"}, 3},
		"an unknown number":      {conntest.Reply{Columns: []kql.Column{id}, Rows: [][]any{{"11111111-1111-1111-1111-111111111111"}}}, [2]string{"true", "false"}, 3},
		"the command is refused": {refused(true), [2]string{"true", "false"}, 3},
		"no answer":              {conntest.Refusal(503, "ServiceUnavailable", "later", false), [2]string{"write T0", "write T1"}, attempts},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: func(text string) conntest.Reply {
					switch text {
					case together:
						return test.joint
					case fmt.Sprintf(alone, 0):
						return wrote(1)
					case fmt.Sprintf(alone, 1):
						return wrote()
					}
					t.Errorf("sent %s", text)
					return conntest.Reply{}
				}}
				c := connect(t, f)
				var got [2]string
				var wg sync.WaitGroup
				for i := range got {
					wg.Go(func() {
						done, err := c.Append(t.Context(), Append{
							Op: "write", Table: fmt.Sprintf("T%d", i), Into: "Control", Key: fmt.Sprintf("k%d", i),
							Query: fmt.Sprintf("print N = %d", i), Rows: 1, Unless: fmt.Sprintf("there(%d)", i),
						})
						got[i] = fmt.Sprint(done)
						if err != nil {
							got[i] = err.Error()
						}
					})
				}
				wg.Wait()
				for i := range got {
					if !strings.HasPrefix(got[i], test.want[i]) {
						t.Errorf("answer %d is %q, want %q", i, got[i], test.want[i])
					}
				}
				if sent := f.Sent(); len(sent) != test.sent {
					t.Errorf("%d requests, want %d", len(sent), test.sent)
				}
			})
		})
	}
}

func TestAbout(t *testing.T) {
	of := &tvmexport.Error{Op: "read", Table: "A", Err: context.Canceled}
	err := About(fmt.Errorf("wrapped: %w", of), "read", Statement{Op: "publish", Table: "B"})
	var got *tvmexport.Error
	if !errors.As(err, &got) || got.Op != "publish" || got.Table != "B" || of.Table != "A" || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	signIn := &tvmexport.Error{Op: "sign in (kusto.auth)", Err: context.Canceled}
	if err := About(signIn, "read", Statement{Op: "publish"}); err != error(signIn) {
		t.Errorf("an error of another step became %v", err)
	}
	if About(context.Canceled, "read", Statement{}) != context.Canceled {
		t.Error("another error was changed")
	}
}
