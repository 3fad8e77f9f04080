package assessment_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// A file without a byte has no rows, and its answer is complete: the caller decides
// whether to believe it.
func TestEmptyFile(t *testing.T) {
	s := newService(t, emulatortest.Devices(4), emulatortest.CVEs(100))
	c := s.client(t, nil)
	l := list(t, c, vulnerabilities)
	emptied, err := s.Inject(faults.Rule{Endpoint: faults.Blob, Match: "VaExport", Status: 200, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for ; i < len(l.Units); i++ {
		a, err := c.FetchUnit(t.Context(), tableNamed(t, vulnerabilities), l.Units[i], &collected{t: t})
		if err != nil || !a.Complete() || i == 0 && a.Rows != 0 || len(a.Columns) == 0 {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if emptied.Hits() != 1 {
		t.Errorf("%d files were emptied", emptied.Hits())
	}
}

// A file that is damaged is no answer, and its error asks for it again.
func TestDamagedFiles(t *testing.T) {
	for name, alter := range map[string]func(body []byte) []byte{
		"cut":             func(b []byte) []byte { return b[:len(b)-9] },
		"cut at trailer":  func(b []byte) []byte { return b[:len(b)-4] },
		"garbage behind":  func(b []byte) []byte { return append(b, "garbage"...) },
		"other bytes":     func(b []byte) []byte { b[len(b)/2] ^= 0x55; return b },
		"not compressed":  func([]byte) []byte { return []byte(`{"DeviceId":"a"}`) },
		"page of a proxy": func([]byte) []byte { return []byte(`<html>`) },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := altered(t, func(r *http.Request, body []byte) []byte {
				if isData(r) && len(body) > 0 {
					return alter(body)
				}
				return body
			})
			c := s.client(t, nil)
			refused := 0
			for _, u := range list(t, c, vulnerabilities).Units {
				a, err := c.FetchUnit(t.Context(), tableNamed(t, vulnerabilities), u, &collected{t: t})
				if err == nil && a.Rows == 0 {
					continue // a device group without devices
				}
				refused++
				if err == nil || a.Complete() || tvmexport.ActionOf(err) != tvmexport.Retry && !strings.Contains(err.Error(), "twice") {
					t.Errorf("%s: %+v, %v", u.ID, a, err)
				}
			}
			if refused == 0 {
				t.Error("no file with rows was read")
			}
		})
	}
}

// Pages whose tokens have another form are read, and the listing has a version.
func TestOpaqueTokens(t *testing.T) {
	var mu sync.Mutex
	tokens := map[string]string{} // by what the client sees
	s, way := altered(t, func(_ *http.Request, body []byte) []byte {
		from := bytes.Index(body, []byte("$skiptoken="))
		if from < 0 {
			return body
		}
		from += len("$skiptoken=")
		to := from + bytes.IndexByte(body[from:], '"')
		mu.Lock()
		defer mu.Unlock()
		opaque := fmt.Sprintf("opaque%d", len(string(body[from:to])))
		for seen, token := range tokens {
			if token == string(body[from:to]) {
				opaque = seen
			}
		}
		for tokens[opaque] != "" && tokens[opaque] != string(body[from:to]) {
			opaque += "x"
		}
		tokens[opaque] = string(body[from:to])
		return append(append(bytes.Clone(body[:from]), opaque...), body[to:]...)
	})
	behind := way.RoundTripper
	way.RoundTripper = roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		own := r.Clone(r.Context())
		for seen, token := range tokens {
			if own.URL.Query().Get("$skiptoken") == seen {
				own.URL.RawQuery = strings.Replace(own.URL.RawQuery, "skiptoken="+seen, "skiptoken="+token, 1)
				break
			}
		}
		mu.Unlock()
		return behind.RoundTrip(own)
	})
	c := s.client(t, byPages)
	first, second := list(t, c, vulnerabilities), list(t, c, vulnerabilities)
	if first.Version == "" || first.Version != second.Version || !first.At.IsZero() {
		t.Errorf("the versions are %q and %q", first.Version, second.Version)
	}
	got := walk(t, c, vulnerabilities, first)
	if d := cmp.Diff(s.truth(t, vulnerabilities), got.rows); d != "" {
		t.Errorf("%.1000s", d)
	}
}

// A member that appears is kept and declared, from then on also by answers without it.
func TestNewMember(t *testing.T) {
	done := false
	s, _ := altered(t, func(r *http.Request, body []byte) []byte {
		if isData(r) && !done {
			done = true
			return bytes.Replace(body, []byte(`{"id":`), []byte(`{"newMember":7,"id":`), 1)
		}
		return body
	})
	c := s.client(t, byPages)
	l := list(t, c, vulnerabilities)
	open, declared := l.Units[1:], 0
	got := collected{t: t}
	for len(open) > 0 {
		a, err := c.FetchUnit(t.Context(), tableNamed(t, vulnerabilities), open[0], &got)
		if err != nil {
			t.Fatal(err)
		}
		if a.Columns[len(a.Columns)-1] == (tvmexport.Column{Name: "NewMember", Type: "real"}) {
			declared++
		}
		open = append(open[1:], a.Next...)
	}
	columns, err := c.Columns(t.Context(), vulnerabilities)
	if err != nil || declared < 2 || columns[len(columns)-1].Name != "NewMember" {
		t.Errorf("%d answers declare it; the columns are %v, %v", declared, columns, err)
	}
	if n := strings.Count(strings.Join(got.raw, ""), `,"NewMember":7}`); n != 1 {
		t.Errorf("%d rows have it", n)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
