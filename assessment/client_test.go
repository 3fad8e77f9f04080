package assessment_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

const vulnerabilities = "TvmSoftwareVulnerabilities"

// altering changes answers on their way.
type altering struct {
	http.RoundTripper
	alter func(r *http.Request, body []byte) []byte
	mu    sync.Mutex
	asked []*http.Request
}

func (a *altering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	a.mu.Unlock()
	answer, err := a.RoundTripper.RoundTrip(r)
	if err != nil || a.alter == nil || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	body = a.alter(r, body)
	answer.ContentLength = int64(len(body))
	answer.Header.Del("Content-Length")
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// altered is a service whose answers are changed on their way.
func altered(t *testing.T, alter func(r *http.Request, body []byte) []byte) (service, *altering) {
	t.Helper()
	s := newService(t, emulatortest.Devices(4), emulatortest.CVEs(2000))
	way := &altering{RoundTripper: s.http.Transport, alter: alter}
	s.http = &http.Client{Transport: way}
	return s, way
}

// isData says whether a request is for rows: a file, or a page behind the first one.
func isData(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, ".gz") || strings.Contains(r.URL.RawQuery, "skiptoken")
}

// replaced is a body with a text in place of another one, once.
func replaced(old, text string) func(*http.Request, []byte) []byte {
	return func(_ *http.Request, body []byte) []byte {
		return bytes.Replace(body, []byte(old), []byte(text), 1)
	}
}

// Changes are listed since a time.
func TestChangesSince(t *testing.T) {
	s := newService(t)
	s.Tenant().AdvanceHours(18)
	c := s.client(t, nil)
	const table = "TvmSoftwareVulnerabilityChanges"
	all := walk(t, c, table, list(t, c, table))
	from := s.Tenant().Now().Add(-9 * time.Hour)
	l, err := c.ListSince(t.Context(), tableNamed(t, table), from)
	if err != nil {
		t.Fatal(err)
	}
	some := walk(t, c, table, l)
	if len(some.rows) == 0 || len(some.rows) >= len(all.rows) {
		t.Errorf("%d changes of %d", len(some.rows), len(all.rows))
	}
	long, err := c.ListSince(t.Context(), tableNamed(t, table), from.Add(-30*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all.raw, walk(t, c, table, long).raw); d != "" {
		t.Errorf("since a time that is too long ago:\n%.1000s", d)
	}
	if l.Version == long.Version || !l.At.Equal(long.At) || l.At.IsZero() {
		t.Errorf("the versions are %q of %s and %q of %s", l.Version, l.At, long.Version, long.At)
	}
}

// The client keeps to the documented quotas: the service throttles no call.
func TestQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, emulatortest.Devices(2), emulatortest.CVEs(100), emulatortest.Clock(time.Now), emulatortest.Configure(documented))
		waits := 0
		c := s.client(t, func(o *assessment.Options) {
			o.Quotas, o.OnWait = assessment.Quotas{}, func(string, time.Time) { waits++ }
		})
		start := time.Now()
		for range 7 {
			list(t, c, vulnerabilities)
		}
		if took := time.Since(start); took < time.Minute || took > 2*time.Minute || waits == 0 {
			t.Errorf("seven lists took %s with %d waits", took, waits)
		}
		list(t, c, "TvmSoftwareInventory") // it has a quota of its own
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("eight lists of two tables took %s", took)
		}
		if n := c.Stats(); n.Throttled != 0 || n.Calls != 8 {
			t.Errorf("%+v", n)
		}
		calls := 0
		for _, u := range c.QuotaUsage().Endpoints {
			for _, k := range u.Calls {
				calls += k.Calls
			}
		}
		if calls != 8 {
			t.Errorf("%d calls are noted", calls)
		}
	})
}

// Calls of other processes count against the quota of the same path only.
func TestQuotasOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, emulatortest.Devices(2), emulatortest.CVEs(100), emulatortest.Clock(time.Now))
		first, second := s.client(t, nil), s.client(t, func(o *assessment.Options) { o.Quotas = assessment.Quotas{} })
		for range assessment.DocumentedQuotas.Files.PerMinute {
			list(t, first, vulnerabilities)
		}
		start := time.Now()
		second.Begin([]tvmexport.QuotaUsage{first.QuotaUsage(), {Calls: []tvmexport.CallCount{{At: start, Calls: 1000}}}})
		list(t, second, "TvmSoftwareInventory")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("a list of another table took %s", took)
		}
		list(t, second, vulnerabilities)
		if took := time.Since(start); took < 30*time.Second || took > 2*time.Minute {
			t.Errorf("a list of the same table took %s", took)
		}
	})
}

func TestOptions(t *testing.T) {
	s := newService(t, emulatortest.Devices(1), emulatortest.CVEs(10))
	good := assessment.Options{Credential: &signIn{of: s.Emulator}}
	if _, err := assessment.New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*assessment.Options){
		"via":      func(o *assessment.Options) { o.Via = "mail" },
		"endpoint": func(o *assessment.Options) { o.Endpoint = "api.security.microsoft.com" },
		"share":    func(o *assessment.Options) { o.Share = 2 },
		"sign-in":  func(o *assessment.Options) { o.Credential = nil },
		"rows":     func(o *assessment.Options) { o.PageRows = 200_001 },
		"quota":    func(o *assessment.Options) { o.Quotas.Pages.PerMinute = -1 },
	} {
		o := good
		change(&o)
		if _, err := assessment.New(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestClouds(t *testing.T) {
	for name, want := range map[string][2]string{
		"":         {"https://api.security.microsoft.com", "https://api.securitycenter.microsoft.com/.default"},
		"gcc":      {"https://api-gcc.securitycenter.microsoft.us", "https://api-gcc.securitycenter.microsoft.us/.default"},
		"gcc-high": {"https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default"},
		"dod":      {"https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default"},
	} {
		c, err := assessment.LookupCloud(name)
		if d := cmp.Diff(want, [2]string{c.Endpoint(), c.Scope()}); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	if _, err := assessment.LookupCloud("china"); err == nil {
		t.Error("an unknown cloud is found")
	}
}

// Columns that are pseudonymised need a key.
func TestPseudonymsNeedAKey(t *testing.T) {
	s := newService(t, emulatortest.Devices(2), emulatortest.CVEs(100))
	table, err := tableNamed(t, vulnerabilities).WithPolicy(tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceName"}})
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(t, nil)
	_, err = c.FetchUnit(t.Context(), table, list(t, c, vulnerabilities).Units[0], &collected{t: t})
	var e *tvmexport.Error
	if !errors.As(err, &e) || e.Cause != tvmexport.Usage || !strings.Contains(e.Hint, "pseudonymisation_key") {
		t.Error(err)
	}
}

// documented are the quotas of the documentation.
func documented(o *emulator.Options) {
	o.Quota = nil
	o.ExportQuota = nil
}
