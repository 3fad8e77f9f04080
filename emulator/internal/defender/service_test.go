package defender_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// noon is the tenant's now, and the wall clock unless a test says otherwise.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// table is a relation in memory, of rows that may be made while it is read.
type table struct {
	columns []value.Column
	n       int
	row     func(i int, row []value.Value)
}

func (t table) Columns() []value.Column { return t.columns }
func (t table) Hidden() []value.Column  { return nil }
func (t table) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		row := make([]value.Value, len(t.columns))
		for i := range t.n {
			t.row(i, row)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// tables is a catalog.
type tables map[string]table

func (c tables) Table(db, name string) (kql.Relation, bool) {
	t, ok := c[name]
	return t, ok && db == ""
}
func (tables) Function(string, string) (kql.Function, bool) { return kql.Function{}, false }
func (c tables) Tables(string) []string {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	return names
}

// numbers is a table of one long column N: 0, 1, 2, ...
func numbers(n int) table {
	return table{[]value.Column{{Name: "N", Kind: value.Long}}, n, func(i int, row []value.Value) {
		row[0] = value.NewLong(int64(i))
	}}
}

// events is a table with one event an hour, backwards from noon.
func events(n int) table {
	return table{[]value.Column{{Name: "Timestamp", Kind: value.DateTime}, {Name: "N", Kind: value.Int}}, n, func(i int, row []value.Value) {
		row[0] = value.NewDateTime(noon.Add(-time.Duration(i) * time.Hour))
		row[1] = value.NewInt(int32(i))
	}}
}

func catalog() tables {
	return tables{
		"DeviceNumbers":     numbers(1000),
		"DeviceEvents":      events(24 * 60),
		"DeviceTvmScans":    events(24 * 60),
		"EmailEvents":       events(3),
		"DeviceTvmSoftware": software,
	}
}

var software = table{
	[]value.Column{
		{Name: "DeviceId", Kind: value.String},
		{Name: "EndOfSupportDate", Kind: value.DateTime},
		{Name: "IsCompliant", Kind: value.Bool},
		{Name: "Score", Kind: value.Real},
		{Name: "ReportId", Kind: value.Long},
		{Name: "Context", Kind: value.Dynamic},
	}, 2, func(i int, row []value.Value) {
		if i == 0 {
			row[0], row[1], row[2] = value.NewString("dc18"), value.Null(value.DateTime), value.Null(value.Bool)
			row[3], row[4], row[5] = value.NewReal(10), value.NewLong(9007199254740993), value.DynamicJSON(`[{"a":1}]`)
			return
		}
		row[0], row[1], row[2] = value.NewString(""), value.NewDateTime(time.Date(2026, 7, 23, 18, 3, 20, 928e6, time.UTC)), value.NewBool(false)
		row[3], row[4], row[5] = value.Null(value.Real), value.Null(value.Long), value.DynamicJSON(`{"b":{"c":null}}`)
	},
}

// service is a Service whose tokens are the names of their audiences' fronts, with
// an optional list of roles behind a colon.
func service(t testing.TB, change func(*defender.Options)) *defender.Service {
	t.Helper()
	o := defender.Options{
		Catalog: func() kql.Catalog { return catalog() },
		Now:     func() time.Time { return noon },
		Disk:    disk.Folder{Dir: t.TempDir()},
		Quota:   defender.Documented(),
		Verify: func(_ context.Context, token string, audiences ...string) (entra.Claims, error) {
			roles := []string{"ThreatHunting.Read.All", "AdvancedHunting.Read.All", "AdvancedQuery.Read.All"}
			switch token {
			case "good":
			case "poor":
				roles = []string{"Policy.Read.ConditionalAccess", "DeviceManagementManagedDevices.Read.All"}
			case "late":
				return entra.Claims{}, fmt.Errorf("%w at noon", entra.ErrExpired)
			case "elsewhere":
				return entra.Claims{}, entra.ErrWrongAudience
			default:
				return entra.Claims{}, entra.ErrSignature
			}
			return entra.Claims{AppID: "app", Audience: audiences[0], Roles: roles}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := defender.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	graphPath = "/v1.0/security/runHuntingQuery"
	xdrPath   = "/api/advancedhunting/run"
	mdePath   = "/api/advancedqueries/run"
)

// handlers routes the three fronts by path.
func handlers(s *defender.Service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1.0/", s.Graph())
	mux.Handle("/beta/", s.Graph())
	mux.Handle(xdrPath, s.XDR())
	mux.Handle(mdePath, s.MDE())
	return mux
}

func call(s *defender.Service, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "https://service.example"+path, strings.NewReader(body))
	r.Header.Set("client-request-id", "11111111-2222-3333-4444-555555555555")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handlers(s).ServeHTTP(w, r)
	return w
}

// ask sends a query with a good token.
func ask(s *defender.Service, path, query string) *httptest.ResponseRecorder {
	text, _ := json.Marshal(query)
	return call(s, path, "good", `{"Query":`+string(text)+`}`)
}

// requestID replaces what differs from call to call.
var requestID = regexp.MustCompile(`("request-id":"|"target":")[0-9a-f-]{36}"`)

func body(w *httptest.ResponseRecorder) string {
	return strings.TrimSuffix(requestID.ReplaceAllString(w.Body.String(), `$1*"`), "\n")
}
