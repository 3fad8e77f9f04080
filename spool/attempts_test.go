package spool_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/spool"
)

// counting counts the requests for files, and for pages, by path.
type counting struct {
	http.RoundTripper
	mu    sync.Mutex
	asked map[string]int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, ".gz") || strings.Contains(r.URL.RawQuery, "skiptoken") {
		c.mu.Lock()
		c.asked[r.URL.Path]++
		c.mu.Unlock()
	}
	return c.RoundTripper.RoundTrip(r)
}

func (c *counting) most() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.asked {
		n = max(n, k)
	}
	return n
}

// A file or a page that fails for ever is asked for as often as the layer allows that is
// responsible: the calls for what failed before a row came, the spool for the rest.
func TestAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		rule         faults.Rule
		files, pages int
	}{
		"500":         {faults.Rule{Status: 500}, 7, 7},
		"503":         {faults.Rule{Status: 503}, 7, 7},
		"502":         {faults.Rule{Status: 502}, 3, 3},
		"504":         {faults.Rule{Status: 504}, 3, 3},
		"breaks off":  {faults.Rule{CutAfter: 50}, 4, 4},
		"no answer":   {faults.Rule{Delay: faults.Duration(24 * time.Hour)}, 4, 4},
		"another one": {faults.Rule{Status: 200, Body: `{"DeviceId":"x"`}, 4, 4},
	} {
		for _, via := range []assessment.Via{assessment.Files, assessment.Pages} {
			t.Run(name+" by "+string(via), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := emulatortest.New(t, emulatortest.Devices(2), emulatortest.CVEs(100), emulatortest.NoQuota(), emulatortest.Clock(time.Now))
					way := &counting{RoundTripper: e.Client().Transport, asked: map[string]int{}}
					client, err := assessment.New(assessment.Options{
						Endpoint: e.Endpoints().MDE, Credential: signInTo(e), HTTPClient: &http.Client{Transport: way}, Share: 1, Via: via, PageRows: 50,
					})
					if err != nil {
						t.Fatal(err)
					}
					source, err := spool.New(client, spool.Options{Dir: t.TempDir(), Concurrency: 1})
					if err != nil {
						t.Fatal(err)
					}
					defer source.Close()
					want := c.files
					c.rule.Endpoint, c.rule.Match = faults.Blob, "OrgId="
					if via == assessment.Pages {
						want, c.rule.Endpoint, c.rule.Match = c.pages, faults.Assessment, "skiptoken"
					}
					if _, err := e.Inject(c.rule); err != nil {
						t.Fatal(err)
					}
					table, _ := catalog.Table("TvmSoftwareInventory")
					_, err = source.Count(t.Context(), tvmexport.CountQuery{Table: table, Depth: 1})
					if got := way.most(); err == nil || got != want {
						t.Errorf("%d attempts, want %d: %v", got, want, err)
					}
				})
			})
		}
	}
}
