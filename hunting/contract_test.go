package hunting_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/hunting"
)

// Each front keeps the contract of a source.
func TestContract(t *testing.T) {
	for api, endpoint := range map[hunting.API]faults.Endpoint{hunting.Graph: faults.Graph, hunting.XDR: faults.XDR, hunting.MDE: faults.MDE} {
		t.Run(string(api), func(t *testing.T) {
			if api != hunting.Graph && testing.Short() {
				t.Skip("-short: one front is enough; make test runs the others")
			}
			contract.TestSource(t, func(t *testing.T) contract.SourceHarness { return harness(t, api, endpoint) })
		})
	}
}

func harness(t *testing.T, api hunting.API, endpoint faults.Endpoint) contract.SourceHarness {
	t.Helper()
	e := emulatortest.New(t, emulatortest.Devices(12), emulatortest.CVEs(100), emulatortest.History(1), emulatortest.FixedClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
	order := &reordering{RoundTripper: e.Client().Transport}
	s := service{e, &http.Client{Transport: order}}
	state, _ := catalog.Table("DeviceTvmSoftwareInventory")
	state.Volatile = nil // every change shows in fingerprints
	events, _ := catalog.Table("DeviceInfo")
	events.LoadType, events.Watermark = tvmexport.Incremental, "Timestamp"
	corrupt := func(t *testing.T, rule faults.Rule) {
		t.Helper()
		rule.Endpoint, rule.Count = endpoint, 1
		if _, err := e.Inject(rule); err != nil {
			t.Fatal(err)
		}
	}
	return contract.SourceHarness{
		Source: s.clientThat(t, api, nil), Table: state, Events: events,
		Rows: func(t *testing.T, table string) []contract.Row { return rowsOf(t, s.truth(t, table)) },
		Change: func(t *testing.T) {
			if c := e.Tenant().Move(0.2); c.Added == 0 || c.Retired == 0 {
				t.Errorf("the tenant changed by %+v", c)
			}
		},
		Corrupt: func(t *testing.T, how contract.Corruption) {
			switch how {
			case "":
				e.Services().Faults().Clear()
			case contract.Cut:
				corrupt(t, faults.Rule{DropRows: 3})
			case contract.Duplicated:
				corrupt(t, faults.Rule{RepeatRows: 1})
			case contract.Reordered:
				order.next.Store(true)
			}
		},
	}
}

// rowsOf reads the tenant's rows.
func rowsOf(t *testing.T, truth []string) []contract.Row {
	t.Helper()
	out := make([]contract.Row, len(truth))
	for i, text := range truth {
		var row struct {
			DeviceId  string //nolint:revive,staticcheck // the column's name
			Timestamp time.Time
		}
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatal(err)
		}
		out[i] = contract.Row{Key: row.DeviceId, Time: row.Timestamp, JSON: text}
	}
	return out
}

// reordering turns the rows of the next answer round.
type reordering struct {
	http.RoundTripper
	next atomic.Bool
}

func (o *reordering) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost || !o.next.Load() {
		return answer, err
	}
	body := answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if turned, ok := turnedRound(text); ok {
		o.next.Store(false)
		text = turned
	}
	answer.Header.Del("Content-Encoding")
	answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
	answer.ContentLength = int64(len(text))
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, nil
}

// turnedRound is an answer with its rows in the reverse order; ok is false where
// it has none.
func turnedRound(text []byte) (_ []byte, ok bool) {
	var answer map[string]json.RawMessage
	if json.Unmarshal(text, &answer) != nil {
		return nil, false
	}
	for _, member := range []string{"results", "Results"} {
		var rows []json.RawMessage
		if json.Unmarshal(answer[member], &rows) != nil || len(rows) < 2 {
			continue
		}
		slices.Reverse(rows)
		list := make([][]byte, len(rows))
		for i, r := range rows {
			list[i] = r
		}
		turned := slices.Concat([]byte("["), bytes.Join(list, []byte(",")), []byte("]"))
		return bytes.Replace(text, answer[member], turned, 1), true
	}
	return nil, false
}
