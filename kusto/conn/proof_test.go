package conn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// answerV2 is the answer to a query with so many rows and the service's count.
func answerV2(rows, counted int) string {
	var b bytes.Buffer
	list := make([][]any, rows)
	for i := range list {
		list[i] = []any{fmt.Sprintf("]},\\\"[{%d", i), i}
	}
	conntest.WriteV2(&b, conntest.Reply{Columns: []kql.Column{{Name: "Text", Kind: "string"}, {Name: "Count", Kind: "long"}}, Rows: list})
	return strings.Replace(b.String(), fmt.Sprintf(`"RowCount":%d`, rows), fmt.Sprintf(`"RowCount":%d`, counted), 1)
}

func proofOf(t *testing.T, text string) error {
	t.Helper()
	p := newProof(io.NopCloser(strings.NewReader(text)))
	if _, err := io.Copy(io.Discard, p); err != nil {
		t.Fatal(err)
	}
	return p.err()
}

func TestProofOfAnswers(t *testing.T) {
	whole := answerV2(3, 3)
	replaced := func(from, to string) string {
		t.Helper()
		if !strings.Contains(whole, from) {
			t.Fatalf("no %s in the answer", from)
		}
		return strings.Replace(whole, from, to, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"whole":              {whole, ""},
		"no rows":            {answerV2(0, 0), ""},
		"a row less":         {answerV2(2, 3), "it holds 2 rows of a table, and the service counted 3"},
		"all rows less":      {answerV2(0, 3), "it holds 0 rows of a table, and the service counted 3"},
		"a row more":         {answerV2(4, 3), "it holds 4 rows of a table, and the service counted 3"},
		"no count":           {replaced(`,"RowCount":3`, ""), "the row count"},
		"null count":         {replaced(`"RowCount":3`, `"RowCount":null`), "the row count"},
		"negative count":     {replaced(`"RowCount":3`, `"RowCount":-3`), "the row count"},
		"cancelled":          {replaced(`"Cancelled":false`, `"Cancelled":true`), "cancelled"},
		"an error, no text":  {replaced(`"HasErrors":false`, `"HasErrors":true`), "an error without a text"},
		"an error with text": {replaced(`"HasErrors":false`, `"HasErrors":true,"OneApiErrors":[{"error":{}}]`), ""}, // the SDK's to report
		"rows replaced":      {replaced("DataAppend", "DataReplace"), "a fragment of type"},
		"no result":          {whole[:strings.Index(whole, "\n,{\"FrameType\":\"TableHeader")] + "\n" + whole[strings.LastIndex(whole, ",{\"FrameType\":\"DataSetCompletion"):], "no result"},
		"empty":              {"", "before its last frame"},
	} {
		t.Run(name, func(t *testing.T) {
			err := proofOf(t, c.text)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestProofOfTexts: the service has no null texts, so an answer with one is corrupt.
func TestProofOfTexts(t *testing.T) {
	columns := []kql.Column{{Name: "A", Kind: "long"}, {Name: "Text", Kind: "string"}, {Name: "D", Kind: "dynamic"}}
	document := func(text string) any { return json.RawMessage(text) }
	for name, c := range map[string]struct {
		rows [][]any
		want string
	}{
		"texts":               {[][]any{{1, "null", document(`{"a":null}`)}, {2, "", document(`[null,[null]]`)}}, ""},
		"nulls of others":     {[][]any{{nil, "x", nil}, {nil, "n,n", nil}}, ""},
		"a text":              {[][]any{{1, "x", nil}, {2, nil, document(`{}`)}}, "column 2 of a table, of type string, has null values"},
		"all values of a row": {[][]any{{nil, nil, nil}}, "column 2 of a table"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			conntest.WriteV2(&b, conntest.Reply{Columns: columns, Rows: c.rows})
			err := proofOf(t, b.String())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q, of %s", err, c.want, b.String())
			}
		})
	}
}

// An answer that ends before its last frame never counts as one with fewer
// rows, whether the connection breaks or the body just ends.
func TestCutQueryAnswersAreNotTaken(t *testing.T) {
	whole := answerV2(3, 3)
	last := strings.LastIndex(whole, "}") + 1
	for _, broken := range []bool{false, true} {
		for cut := 1; cut < len(whole); cut++ {
			if cut%7 != 0 && whole[cut] != '\n' && whole[cut-1] != '\n' { // all ends of frames, and some other places
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, &cutting{text: whole[:cut], broken: broken})
				ctx := t.Context()
				rows, err := c.Query(ctx, Statement{Op: "read", Text: "T"})
				var streamed int
				streamErr := c.Each(ctx, Statement{Op: "read", Text: "T"}, func() { streamed = 0 }, func(*Reader) { streamed++ })
				switch {
				case err == nil && len(rows) != 3, err == nil && cut < last:
					t.Errorf("cut after %d of %d bytes, broken %v: %d rows and no error", cut, len(whole), broken, len(rows))
				case streamErr == nil && streamed != 3, streamErr == nil && cut < last:
					t.Errorf("cut after %d of %d bytes, broken %v: %d rows one by one and no error", cut, len(whole), broken, streamed)
				}
			})
		}
	}
}

// A count of the service that the rows do not reach is an error that can be
// repeated, not an answer.
func TestDroppedRowsOfQueriesAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &cutting{text: answerV2(2, 3)})
		rows, err := c.Query(t.Context(), Statement{Op: "read ledger", Text: "T"})
		var failed *tvmexport.Error
		if !errors.As(err, &failed) || failed.Action != tvmexport.Retry || !strings.Contains(err.Error(), "2 rows of a table, and the service counted 3") {
			t.Errorf("got %d rows, %v", len(rows), err)
		}
	})
}

// cutting answers every query with the same body, which may end in a broken
// connection.
type cutting struct {
	conntest.Fake
	text   string
	broken bool
}

func (c *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/v2/rest/query" {
		return c.Fake.RoundTrip(r)
	}
	var body io.Reader = strings.NewReader(c.text)
	if c.broken {
		body = io.MultiReader(body, conntest.BrokenReader{})
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

// The scanner counts what a JSON decoder counts, however reads are split.
func FuzzFrameScan(f *testing.F) {
	f.Add([]byte(answerV2(3, 3)), 7)
	f.Add([]byte(answerV2(0, 0)), 1)
	f.Add([]byte(`[{"FrameType":"TableHeader","TableId":1},{"Rows":[[1],{"OneApiErrors":[]},[[2]]],"TableId":1,"FrameType":"TableFragment","TableFragmentType":"DataAppend"}]`), 3)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		size = min(max(size, 1), 1<<10)
		var s frameScan
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			s.write(rest[:n])
			rest = rest[n:]
		}
		var frames []struct {
			FrameType, TableFragmentType string
			Rows                         []json.RawMessage
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if d.Decode(&frames) != nil || len(frames) != 1 || frames[0].FrameType != "TableFragment" || bytes.ContainsAny(text, `\`) || bytes.Count(text, []byte(`"Rows"`)) != 1 {
			return
		}
		want := 0
		for _, r := range frames[0].Rows {
			if r[0] != '[' && r[0] != '{' {
				return // no rows that the SDK would take
			}
			want++
		}
		if s.frame.kind == "TableFragment" && s.frame.rows != int64(want) {
			t.Errorf("%d rows of %d in %s", s.frame.rows, want, text)
		}
	})
}
