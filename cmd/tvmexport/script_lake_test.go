package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdTruth writes the rows that the source has of a table into a file: truth TABLE FILE.
func cmdTruth(ts *testscript.TestScript, _ bool, args []string) {
	e := emulators.get(ts)
	response, err := e.client.Get(e.Ready.Control + "/truth?rows=1&q=" + url.QueryEscape(args[0]))
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusOK || len(body) == 0 {
		ts.Fatalf("truth of %s: %s, %d bytes", args[0], response.Status, len(body))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o600))
}

// cmdShows fails unless show prints the rows of a file: shows FILE TABLE FLAGS. With two files, FILE..FILE,
// it prints the rows that are in one of them only.
func cmdShows(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("tvmexport", append([]string{"show", "--format", "json"}, args[1:]...)...))
	got := canonicalRows(ts, ts.ReadFile("stdout"))
	first, last, changes := strings.Cut(args[0], "..")
	want := canonicalRows(ts, ts.ReadFile(first))
	if changes {
		changed := difference(want, canonicalRows(ts, ts.ReadFile(last)))
		want = canonicalRows(ts, strings.Join(changed, "\n"))
	}
	if len(want) == 0 {
		ts.Fatalf("%s has no rows: nothing is compared", args[0])
	}
	if slices.Equal(got, want) == neg {
		ts.Fatalf("show prints %d rows, want %d, or others", len(got), len(want))
	}
}

// difference is what show --changes prints of two states.
func difference(a, b []string) (out []string) {
	counts := map[string]int{}
	for _, r := range a {
		counts[r]--
	}
	for _, r := range b {
		counts[r]++
	}
	for r, n := range counts {
		word := "added"
		if n < 0 {
			word, n = "removed", -n
		}
		for range n {
			out = append(out, `{"Change":"`+word+`",`+r[1:])
		}
	}
	return out
}

// canonicalRows are rows of JSON in one form, sorted: members sorted, without null.
func canonicalRows(ts *testscript.TestScript, text string) (out []string) {
	for line := range strings.Lines(text) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var v any
		ts.Check(d.Decode(&v))
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		ts.Check(e.Encode(canonical(v)))
		out = append(out, strings.TrimSpace(b.String()))
	}
	slices.Sort(out)
	return out
}

func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if x == nil {
				delete(v, k)
				continue
			}
			v[k] = canonical(x)
		}
		// Delta ignores case: of LogonId and LogonID, the second one has its type in its name.
		if x, ok := v["LogonID_long"]; ok {
			delete(v, "LogonID_long")
			v["LogonID"] = x
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return f
		}
	}
	return v
}

// cmdNow sets a variable to the time.
func cmdNow(ts *testscript.TestScript, _ bool, args []string) {
	time.Sleep(2 * time.Millisecond) // the log of a lake has milliseconds
	ts.Setenv(args[0], time.Now().UTC().Format(time.RFC3339Nano))
	time.Sleep(2 * time.Millisecond)
}
