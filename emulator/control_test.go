package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// fakeControl answers from two rows and remembers what it was asked.
func fakeControl(asked *[]string) *control {
	rows := func(failAfter int) result {
		return result{
			columns: []value.Column{{Name: "b", Kind: value.Long}, {Name: "a", Kind: value.String}},
			rows: func(yield func([]value.Value, error) bool) {
				for i := range 2 {
					if i == failAfter {
						yield(nil, errors.New("it broke"))
						return
					}
					if !yield([]value.Value{value.NewLong(int64(i)), value.NewString("<x>")}, nil) {
						return
					}
				}
			},
		}
	}
	run := func(query string) (result, error) {
		switch query {
		case "bad":
			return result{}, errors.New("no such table")
		case "breaks at once":
			return rows(0), nil
		case "breaks":
			return rows(1), nil
		}
		return rows(-1), nil
	}
	one := &tenantControl{
		name: singleName,
		advance: func(days, hours int) {
			*asked = append(*asked, "advance", strings.Repeat("d", days)+strings.Repeat("h", hours))
		},
		move: func(share float64) tenant.Change {
			*asked = append(*asked, "move", fmt.Sprint(share))
			return tenant.Change{Changed: 3, Added: 2, Retired: 1}
		},
		drift: func(table string, d tenant.Drift) ([]value.Column, error) {
			*asked = append(*asked, "drift", table, fmt.Sprintf("%+v", d))
			if d.Drop == "X" {
				return nil, errors.New("T has no column X")
			}
			return []value.Column{{Name: "a", Kind: value.Real}}, nil
		},
		insert: func(table string, rows ...json.RawMessage) error {
			*asked = append(*asked, "insert", table)
			for _, r := range rows {
				*asked = append(*asked, string(r))
			}
			return nil
		},
		truth: func(_ context.Context, q string) (result, error) { *asked = append(*asked, "truth", q); return run(q) },
	}
	return &control{
		tenants: []*tenantControl{one},
		stats:   func() any { return map[string]int{"calls": 1} },
		landed: func(_ context.Context, db, q string) (result, error) {
			*asked = append(*asked, "landed", db, q)
			return run(q)
		},
		faults: &faults.Set{},
	}
}

func TestControlAPI(t *testing.T) {
	const hash = `{"rows":2,"sha256":"` // the value is the hash of the two rows below
	want := hash + sum(`{"a":"<x>","b":0}`, `{"a":"<x>","b":1}`) + `"}`
	for _, tt := range []struct {
		method, target, body string
		status               int
		want                 string
		asked                string
	}{
		{"GET", "/control/stats", "", 200, `{"calls":1}`, ""},
		{"POST", "/control/advance", `{"days":2}`, 200, `{"days":2}`, "advance dd"},
		{"POST", "/control/advance", `{"hours":3}`, 200, `{"hours":3}`, "advance hhh"},
		{"POST", "/control/advance", `{"days":1,"hours":1}`, 200, `{"days":1,"hours":1}`, "advance dh"},
		{"POST", "/control/advance", `{"days":0}`, 400, `{"error":"send {\"days\": n} with n from 1 to 3650, or {\"hours\": n}"}`, ""},
		{"POST", "/control/advance", `{"day":1}`, 400, `{"error":"read the body: json: unknown field \"day\""}`, ""},
		{"POST", "/control/advance", ``, 400, `{"error":"the body is empty"}`, ""},
		{"POST", "/control/move", ``, 200, `{}`, "move 0.05"},
		{"POST", "/control/move", `{"share":0.01}`, 200, `{"changed":3,"added":2,"retired":1}`, "move 0.01"},
		{"POST", "/control/move", `{"share":0}`, 400, `{"error":"send {\"share\": x} with x above 0 and at most 1, or no body"}`, ""},
		{"POST", "/control/move", `{"share":2}`, 400, `{"error":"send {\"share\": x} with x above 0 and at most 1, or no body"}`, ""},
		{"POST", "/control/move", `{}`, 200, `{}`, "move 0.05"},
		{"POST", "/control/move", `{"part":1}`, 400, `{"error":"read the body: json: unknown field \"part\""}`, ""},
		{"POST", "/control/drift", `{"table":"T","drop":"C"}`, 200, `{"table":"T","columns":[{"name":"a","type":"real"}]}`, "drift T {Add:<nil> Drop:C Retype:<nil> Nest:<nil>}"},
		{"POST", "/control/drift", `{"table":"T","drop":"X"}`, 400, `{"error":"T has no column X"}`, "drift T {Add:<nil> Drop:X Retype:<nil> Nest:<nil>}"},
		{"POST", "/control/drift", `{"table":"T","rename":"X"}`, 400, `{"error":"read the body: json: unknown field \"rename\""}`, ""},
		{"POST", "/control/insert", `{"table":"T","rows":[{"a":1},{}]}`, 200, `{"rows":2}`, `insert T {"a":1} {}`},
		{"POST", "/control/insert", `{"rows":1}`, 400, `{"error":"read the body: json: cannot unmarshal number into Go struct field .rows of type []json.RawMessage"}`, ""},
		{"GET", "/control/truth?q=T", "", 200, want, "truth T"},
		{"GET", "/control/truth?q=T&rows=0", "", 200, want, "truth T"},
		{"GET", "/control/truth?q=T&rows=1", "", 200, `{"a":"<x>","b":0}` + "\n" + `{"a":"<x>","b":1}`, "truth T"},
		{"GET", "/control/truth?q=T&rows=x", "", 400, `{"error":"rows is \"x\"; it is 0 or 1"}`, ""},
		{"GET", "/control/truth", "", 400, `{"error":"give a query in KQL as ?q="}`, ""},
		{"GET", "/control/truth?q=bad", "", 400, `{"error":"no such table"}`, "truth bad"},
		{"GET", "/control/truth?q=breaks", "", 400, `{"error":"it broke"}`, "truth breaks"},
		{"GET", "/control/truth?q=breaks+at+once&rows=1", "", 400, `{"error":"it broke"}`, "truth breaks at once"},
		{"GET", "/control/landed?q=T&database=d", "", 200, want, "landed d T"},
		{"GET", "/control/faults", "", 200, `[]`, ""},
		{"GET", "/control/nothing", "", 404, `{"error":"the control API has no GET /control/nothing; it has GET stats, tenants, truth?q=, landed?q=, vanished?q=, faults; POST advance, move, silence, reinstall, retire, drift, insert, consent, cluster, faults; DELETE faults"}`, ""},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			var asked []string
			w := httptest.NewRecorder()
			fakeControl(&asked).handler("/control").ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body)))
			if got := strings.TrimSpace(w.Body.String()); w.Code != tt.status || got != tt.want {
				t.Errorf("%d %s, want %d %s", w.Code, got, tt.status, tt.want)
			}
			if got := strings.Join(asked, " "); got != tt.asked {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
		})
	}
}

func TestRowsThatBreakOffLookBroken(t *testing.T) {
	var asked []string
	c := &http.Client{Transport: transport{handler: func(string) http.Handler { return fakeControl(&asked).handler("/control") }}}
	resp, err := c.Get("https://control.example/control/truth?q=breaks&rows=1")
	if err == nil {
		defer resp.Body.Close()
		buffer := make([]byte, 1000)
		for err == nil {
			_, err = resp.Body.Read(buffer)
		}
	}
	if err.Error() == "EOF" {
		t.Error("the broken answer looks complete")
	}
}
