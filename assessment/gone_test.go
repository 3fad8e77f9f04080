package assessment_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

const changesTable = "TvmSoftwareVulnerabilityChanges"

// sinceService is a way to a service that treats sinceTime in its own way.
type sinceService struct {
	http.RoundTripper
	// treat returns the time that the service uses, or that it refuses the given one.
	treat func(since time.Time) (used time.Time, refused bool)
}

func (s *sinceService) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	since, err := time.Parse(time.RFC3339, q.Get("sinceTime"))
	if err != nil || s.treat == nil {
		return s.RoundTripper.RoundTrip(r)
	}
	used, refused := s.treat(since)
	if refused {
		body := `{"error":{"code":"InvalidInput","message":"sinceTime must be at most 14 days ago.","target":"1"}}`
		return &http.Response{
			StatusCode: http.StatusBadRequest, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
	q.Set("sinceTime", used.Format("2006-01-02T15:04:05.000Z"))
	r = r.Clone(r.Context())
	r.URL.RawQuery = q.Encode()
	return s.RoundTripper.RoundTrip(r)
}

// A listing says what the service no longer has, and has the rest, for services that
// count 14 days in different ways.
func TestWhatIsGone(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	s := newService(t, emulatortest.Devices(3), emulatortest.CVEs(1000), emulatortest.Configure(func(o *emulator.Options) { o.ChangeRate = 0.8 }))
	way := &sinceService{RoundTripper: s.http.Transport}
	s.http = &http.Client{Transport: way}
	c := s.client(t, nil)
	s.Tenant().AdvanceHours(17 * 24)
	s.Tenant().AdvanceHours(5) // the newest state is of 6 o'clock, and it is noon
	noon := s.Tenant().Now()
	state := noon.Add(-6 * time.Hour)
	if noon.Hour() != 12 || noon.Minute() != 0 {
		t.Fatal(noon)
	}
	truth := s.truth(t, changesTable)
	old := state.Add(-14 * 24 * time.Hour)
	day := 24 * time.Hour
	for name, tt := range map[string]struct {
		treat func(since time.Time) (time.Time, bool)
		from  time.Time
		gone  time.Time // its end; zero: nothing
	}{
		"kept":                       {nil, old, time.Time{}},
		"just refused":               {nil, old.Add(-time.Hour), time.Time{}},
		"the step before":            {nil, old.Add(-6 * time.Hour), time.Time{}},
		"gone":                       {nil, old.Add(-6*time.Hour - time.Second), old.Add(-6 * time.Hour)},
		"days are gone":              {nil, old.Add(-3 * day), old.Add(-6 * time.Hour)},
		"from the beginning":         {nil, time.Time{}, old.Add(-6 * time.Hour)},
		"counted from the clock":     {func(at time.Time) (time.Time, bool) { return at, noon.Sub(at) > 14*day }, old.Add(-3 * day), old.Add(6 * time.Hour)},
		"cut without an error":       {func(at time.Time) (time.Time, bool) { return latest(at, old), false }, old.Add(-3 * day), old.Add(-6 * time.Hour)},
		"cut without an error, kept": {func(at time.Time) (time.Time, bool) { return latest(at, old), false }, old.Add(-time.Hour), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			way.treat = tt.treat
			l, err := c.ListSince(t.Context(), tableNamed(t, changesTable), tt.from)
			if err != nil {
				t.Fatal(err)
			}
			want := tvmexport.Window{}
			if !tt.gone.IsZero() {
				want = tvmexport.Window{From: tt.from, To: tt.gone}
			}
			if l.Gone != want {
				t.Errorf("gone is %v, want %v", l.Gone, want)
			}
			got := map[string]bool{}
			for _, row := range walk(t, c, changesTable, l).rows {
				got[row] = true
			}
			after := latest(tt.from, tt.gone)
			missing, there := 0, 0
			for _, row := range truth {
				var event struct{ EventTimestamp time.Time }
				if err := json.Unmarshal([]byte(row), &event); err != nil {
					t.Fatal(err)
				}
				switch {
				case !event.EventTimestamp.After(after):
				case got[row]:
					there++
				default:
					missing++
				}
			}
			if missing > 0 || there == 0 {
				t.Errorf("%d changes after %s are not there, %d are", missing, after, there)
			}
		})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
