package hunts_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator"
)

// hunt is a hunting query of testdata.
type hunt struct {
	name  string
	query string
	sets  []string // columns that are arrays in an order that nothing says
}

var sourced = regexp.MustCompile(`(?m)^// (after|about): https://\S+$`)

func hunts(t *testing.T) []hunt {
	t.Helper()
	files, err := filepath.Glob("testdata/*.kql")
	must(t, err)
	var list []hunt
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		if !sourced.Match(text) {
			t.Errorf("%s does not say where it is from", file)
		}
		h := hunt{name: strings.TrimSuffix(filepath.Base(file), ".kql"), query: string(text)}
		for line := range strings.Lines(h.query) {
			if sets, ok := strings.CutPrefix(strings.TrimSpace(line), "// sets: "); ok {
				h.sets = strings.Split(sets, ", ")
			}
		}
		list = append(list, h)
	}
	return list
}

// A hunting query written for Defender gives the same rows over the functions
// that the exporter makes, unchanged.
func TestHuntsAnswerAlike(t *testing.T) {
	exported(t, func(t *testing.T, e *emulator.Emulator, c *http.Client) {
		asked, answered := 0, 0
		for _, h := range hunts(t) {
			want, got := h.rows(t, e, c, "truth"), h.rows(t, e, c, "landed")
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %d rows at the source, %d landed (-source +landed):\n%.1500s", h.name, len(want), len(got), d)
			}
			asked++
			if len(want) > 0 {
				answered++
			} else {
				t.Logf("%s answers nothing", h.name)
			}
			// Graph has another form of rows; that it takes the query and
			// answers as many is what counts here.
			if n := graphRows(t, e, c, h.query); n != len(want) {
				t.Errorf("%s: %d rows by Graph, %d at the source", h.name, n, len(want))
			}
		}
		if asked < 30 || answered < asked {
			t.Errorf("%d queries of %d have rows", answered, asked)
		}
	})
}

// rows are the canonical rows of the query, sorted, and so are the arrays whose
// order nothing says.
func (h hunt) rows(t *testing.T, e *emulator.Emulator, c *http.Client, side string) []string {
	t.Helper()
	answer, err := c.Get(e.Endpoints().Control + "/" + side + "?rows=1&q=" + url.QueryEscape(h.query))
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		t.Errorf("%s: %s: %s", h.name, side, text)
		return nil
	}
	rows := []string{}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		rows = append(rows, h.ordered(t, lines.Bytes()))
	}
	must(t, lines.Err())
	slices.Sort(rows)
	return rows
}

// ordered sorts the sets of a row.
func (h hunt) ordered(t *testing.T, row []byte) string {
	t.Helper()
	if len(h.sets) == 0 {
		return string(row)
	}
	var members map[string]json.RawMessage
	must(t, json.Unmarshal(row, &members))
	for _, name := range h.sets {
		var elements []json.RawMessage
		must(t, json.Unmarshal(members[name], &elements))
		slices.SortFunc(elements, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
		sorted, err := json.Marshal(elements)
		must(t, err)
		members[name] = sorted
	}
	text, err := json.Marshal(members)
	must(t, err)
	return string(text)
}

func graphRows(t *testing.T, e *emulator.Emulator, c *http.Client, query string) int {
	t.Helper()
	at := e.Endpoints()
	token, err := e.Entra().Issue(at.ClientID, "https://graph.microsoft.com", time.Hour)
	must(t, err)
	body, err := json.Marshal(map[string]string{"Query": query})
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.Graph+"/v1.0/security/runHuntingQuery", bytes.NewReader(body))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	var results struct{ Results []json.RawMessage }
	if err := json.Unmarshal(text, &results); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%.200s: %s %.300s", query, answer.Status, text)
		return -1
	}
	return len(results.Results)
}
