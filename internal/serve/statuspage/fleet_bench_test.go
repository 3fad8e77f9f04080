package statuspage_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

const (
	manyTenants   = 1000
	defaultTables = 9
)

// large is a fleet of tenants with nine tables each, whose ledgers have 60 runs of each
// table; some have problems.
func large(tenants int) (*statuspage.Fleet, []*statuspage.Board) {
	f := newFleet()
	boards := make([]*statuspage.Board, tenants)
	for i := range boards {
		name := fmt.Sprintf("customer-%04d", i)
		b := f.Board(name, statuspage.Setup{Tenant: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), Cluster: "https://contoso.westeurope.kusto.windows.net", Database: name}, statuspage.Reader{})
		var list []statuspage.Table
		for j := range defaultTables {
			table := committed(fmt.Sprintf("DeviceTvmSoftwareVulnerabilities%d", j), time.Duration(i%700)*time.Minute)
			for n := range 60 {
				r := table.Runs[0]
				r.ID, r.Owner = fmt.Sprintf("20261130T120000Z-%d-%d-%d", i, j, n), fmt.Sprintf("host 4711 %d", n)
				table.Runs = append(table.Runs, r)
			}
			if i%100 == 0 && j == 3 {
				table.Runs = append([]statuspage.Run{{Table: table.Name, ID: "R9", At: time.Now(), Failure: statuspage.ProblemOfText("sign in to Defender: AADSTS7000222: the secret is expired (make a new one)", time.Now())}}, table.Runs...)
			}
			list = append(list, table)
		}
		b.Tables(list, nil)
		b.Scheduled(func(string) (string, time.Time, time.Duration) {
			return "0 */6 * * *", time.Now().Add(time.Hour), every6h
		})
		b.Quota(func() *statuspage.Quota { return &statuspage.Quota{Hour: i, PerHour: 750} })
		boards[i] = b
	}
	return f, boards
}

// changing makes many boards change, as exports do, until it is stopped.
func changing(boards []*statuspage.Board) (stop func()) {
	done := make(chan struct{})
	var wait sync.WaitGroup
	for i := range 2 {
		wait.Go(func() {
			for n := i; ; n += 2 {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
				h := boards[n%len(boards)].Hooks()
				run := tvmexport.Run{ID: "R9", Table: tvmexport.Table{Name: "DeviceTvmSoftwareVulnerabilities0"}}
				h.Started(run)
				h.Planned(run, 1000, 1)
				h.Committed(run, 1000)
			}
		})
	}
	return func() { close(done); wait.Wait() }
}

// BenchmarkFleetPage is the page over 1,000 tenants while exports change it.
func BenchmarkFleetPage(b *testing.B) {
	f, boards := large(manyTenants)
	defer changing(boards)()
	h, err := statuspage.NewFleetHandler(f)
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/", "/?state=failing", "/?name=99", "/live", "/tenants/customer-0042/"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
				b.ReportMetric(float64(w.Body.Len())/1000, "kB/page")
			}
		})
	}
}

// An idle tenant costs a few kilobytes; the number of runs in its ledger does not matter.
func TestMemoryOfIdleTenants(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f, boards := large(200)
	each := (int64(heap()) - int64(before)) / int64(len(boards))
	t.Logf("%d bytes for each tenant", each)
	if each > 16<<10 {
		t.Errorf("an idle tenant with %d tables costs %d bytes", defaultTables, each)
	}
	if n := f.Counts()["failing"]; n != 2 {
		t.Errorf("%d tenants fail, want 2", n)
	}
	runtime.KeepAlive(boards)
}
