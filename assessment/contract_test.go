package assessment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

func isExpired(err error) bool { return errors.Is(err, tvmexport.ErrUnitExpired) }

// Both ways keep the contract of a source that lists units.
func TestContract(t *testing.T) {
	for name, change := range map[string]func(*assessment.Options){"files": nil, "pages": byPages} {
		t.Run(name, func(t *testing.T) {
			contract.TestListingSource(t, func(t *testing.T) contract.ListingHarness { return harness(t, change) })
		})
	}
}

func harness(t *testing.T, change func(*assessment.Options)) contract.ListingHarness {
	t.Helper()
	s := newService(t, emulatortest.Devices(12), emulatortest.CVEs(100))
	damage := &damaging{RoundTripper: s.http.Transport}
	s.http = &http.Client{Transport: damage}
	h := contract.ListingHarness{
		Source: s.client(t, change), Table: tableNamed(t, "TvmHardwareFirmware"), Events: tableNamed(t, "TvmSecureConfigurations"),
		Rows: func(t *testing.T, table string) []contract.Row { return rowsOf(t, s.truth(t, table)) },
		Generate: func(t *testing.T) {
			if c := s.Tenant().AdvanceHours(6); c.Changed == 0 {
				t.Errorf("the tenant changed by %+v", c)
			}
		},
		Corrupt: func(_ *testing.T, how contract.Corruption) { damage.next.Store(&how) },
	}
	if change == nil {
		h.Expire = func(*testing.T) { s.AdvanceClock(2 * time.Hour) } // links of this table are valid for an hour
	}
	return h
}

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

// damaging damages the next file or page that has rows: its end is missing, or a part
// of it comes twice.
type damaging struct {
	http.RoundTripper
	next atomic.Pointer[contract.Corruption]
}

func (d *damaging) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.RoundTripper.RoundTrip(r)
	how := d.next.Load()
	if err != nil || how == nil || answer.StatusCode != http.StatusOK || strings.HasSuffix(strings.ToLower(r.URL.Path), "export") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		d.next.Store(nil)
		body = damaged(body, *how)
	}
	answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
	answer.ContentLength = int64(len(body))
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// damaged changes a page so that it stays valid JSON, and cuts a file or repeats a part
// of it.
func damaged(body []byte, how contract.Corruption) []byte {
	from, to := bytes.Index(body, []byte(`"value":[`))+len(`"value":[`), bytes.LastIndex(body, []byte(`],"@odata`))
	switch page := body[0] == '{'; {
	case page && how == contract.Cut:
		return append(bytes.Clone(body[:from]), body[to:]...)
	case page:
		return append(append(bytes.Clone(body[:to]), ','), body[from:]...)
	case how == contract.Cut:
		return body[:len(body)-len(body)/3]
	}
	return append(bytes.Clone(body[:len(body)/2]), body[len(body)/3:]...)
}
