package hunts_test

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/test/reliability/rig"
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
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	exported(t, func(t *testing.T, r *rig.Rig) {
		asked, answered := 0, 0
		for _, h := range hunts(t) {
			want, got := h.rows(t, r.Emulator.State().Rows(t.Context(), h.query)), h.rows(t, r.Emulator.LandedRows(t.Context(), "", h.query))
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
			if n := graphRows(t, r, h.query); n != len(want) {
				t.Errorf("%s: %d rows by Graph, %d at the source", h.name, n, len(want))
			}
		}
		if asked < 30 || answered < asked {
			t.Errorf("%d queries of %d have rows", answered, asked)
		}
	})
}

// rows are the canonical rows, sorted, and so are the arrays whose order nothing
// says.
func (h hunt) rows(t *testing.T, answer iter.Seq2[[]byte, error]) []string {
	t.Helper()
	rows := []string{}
	for row, err := range answer {
		if err != nil {
			t.Errorf("%s: %v", h.name, err)
			return nil
		}
		rows = append(rows, h.ordered(t, row))
	}
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

func graphRows(t *testing.T, r *rig.Rig, query string) int {
	t.Helper()
	at := r.Emulator.Endpoints()
	token, err := r.Emulator.Entra().Issue(at.ClientID, "https://graph.microsoft.com", time.Hour)
	must(t, err)
	body, err := json.Marshal(map[string]string{"Query": query})
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.Graph+"/v1.0/security/runHuntingQuery", bytes.NewReader(body))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := r.HTTP.Do(request)
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
