package metrics_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/jsonnames"
	"github.com/tvmexport/tvmexport/internal/metrics"
)

// process is the metrics of a process.
func process() prometheus.Gatherer {
	reg := prometheus.NewRegistry()
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_things", Help: "Things."})
	reg.MustRegister(g)
	return reg
}

// everything makes something of all metrics happen in a tenant.
func everything(m *metrics.Metrics) {
	h := m.Hooks()
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "T"}}
	h.Started(run)
	h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: 5, Bytes: 50, Unread: []tvmexport.Unread{{Column: "C", Values: 1}}})
	h.Splitting(run, tvmexport.Slice{}, errors.New("too large"))
	h.Fallback(run, "x", errors.New("refused"))
	h.Retrying(run, "fetch", time.Second, errors.New("cut"))
	h.Landing(run, tvmexport.Batch{})
	h.Confirmed(run, 1, 1)
	h.Committed(run, 5)
	h.Ended(tvmexport.Ending{Table: "T", Run: "R1", Rows: 5, Effect: tvmexport.Effect{TableRows: 9, Took: 20 * time.Second}})
	m.Missed("T", "down", 1)
	m.Jumped(-time.Minute)
	m.Quota(func() metrics.Quota {
		m.Waiting("minute", 0) // whom it asks may call the metrics meanwhile
		return metrics.Quota{Minute: 1, Hour: 2, PerMinute: 45, PerHour: 750}
	})
	answers := m.RoundTripper("defender", roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") }))
	_, _ = answers.RoundTrip(nil)
}

func watched(f *metrics.Fleet) *metrics.Fleet {
	f.Watch(func() map[string]int { return map[string]int{"fresh": 1, "failing": 0} }, func() metrics.Workers { return metrics.Workers{All: 8, Busy: 3, Waiting: 2} })
	return f
}

// Dashboards and alerts of users name these metrics, labels and words.
func TestFleetMetricNames(t *testing.T) {
	f := watched(metrics.NewFleet("v1", prometheus.NewRegistry()))
	m := f.Tenant("contoso")
	m.Label(metrics.Labels{Tenant: "id", Database: "d"})
	everything(m)
	families, err := f.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, family := range families {
		lines = append(lines, fmt.Sprintf("%s %s", family.GetName(), family.GetType()))
		for _, metric := range family.GetMetric() {
			lines = append(lines, family.GetName()+labels(metric))
		}
	}
	jsonnames.Kept(t, "fleet_metric_names", lines)
}

// values are the values of series by name and labels; that of a histogram is its sum.
func values(families []*dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			out[f.GetName()+labels(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return out
}

// A tenant of a fleet has the values that it would have alone; of its series, those of
// durations have no table, and none is 0 of what is rare.
func TestFleetHasTheValuesOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		alone := metrics.New(reg, "v1")
		alone.Label(metrics.Labels{Tenant: "id", Database: "d"})
		f := metrics.NewFleet("v1", prometheus.NewRegistry())
		of := f.Tenant("contoso")
		of.Label(metrics.Labels{Tenant: "id", Database: "d"})
		f.Tenant("fabrikam").Table("U")
		for _, m := range []*metrics.Metrics{alone, of} {
			everything(m)
		}
		time.Sleep(time.Minute)
		one, err := alone.Labelled(reg).Gather()
		if err != nil {
			t.Fatal(err)
		}
		many, err := f.Gather()
		if err != nil {
			t.Fatal(err)
		}
		want, got := values(one), map[string]float64{}
		for series, v := range values(many) {
			if own, ok := strings.CutSuffix(strings.Replace(series, " tenant=contoso tenant_id=id", " tenant=id", 1), ""); ok && strings.Contains(series, "=contoso") {
				got[own] = v
			}
		}
		duration := "tvmexport_run_duration_seconds database=d"
		want[duration+" tenant=id"] = want[duration+" table=T tenant=id"]
		delete(want, duration+" table=T tenant=id")
		want["tvmexport_tenant_up database=d tenant=id"] = 1
		maps.DeleteFunc(want, func(series string, v float64) bool {
			return v == 0 && (strings.HasPrefix(series, "tvmexport_partition_splits_total ") || strings.HasPrefix(series, "tvmexport_clock_jumps_total "))
		})
		if !maps.Equal(want, got) {
			for _, s := range slices.Sorted(maps.Keys(want)) {
				if v, ok := got[s]; !ok || v != want[s] {
					t.Errorf("%s is %v, want %v", s, v, want[s])
				}
				delete(got, s)
			}
			t.Errorf("more: %v", got)
		}
	})
}

// Series of a tenant name it, and vanish with it.
func TestTenantsComeAndGo(t *testing.T) {
	f := watched(metrics.NewFleet("v1", process()))
	f.Reloaded(false)
	f.Jumped(time.Minute)
	a := f.Tenant("a")
	a.Label(metrics.Labels{Tenant: "id-a", Database: "da"})
	everything(a)
	f.Tenant("b").LedgerRead(false)
	if f.Tenant("a") != a {
		t.Error("a tenant has new metrics")
	}
	series := func() map[string]float64 {
		families, err := f.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.Metric {
				sorted := slices.IsSortedFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
				if !sorted {
					t.Errorf("the labels of %s%s are not sorted", family.GetName(), labels(m))
				}
			}
		}
		return values(families)
	}
	got := series()
	for want, v := range map[string]float64{
		"tvmexport_tenant_up database=da tenant=a tenant_id=id-a":            1,
		"tvmexport_tenant_up tenant=b":                                       0,
		"tvmexport_build_info tenant=b version=v1":                           1,
		"tvmexport_fleet_tenants state=failing":                              0,
		"tvmexport_fleet_tenants state=fresh":                                1,
		"tvmexport_fleet_workers":                                            8,
		"tvmexport_fleet_workers_busy":                                       3,
		"tvmexport_fleet_tenants_waiting":                                    2,
		"tvmexport_fleet_clock_jumps_total direction=forward":                1,
		"tvmexport_config_last_reload_successful":                            0,
		"tvmexport_config_last_reload_successful tenant=b":                   1,
		"tvmexport_run_duration_seconds database=da tenant=a tenant_id=id-a": 20,
		"process_things": 0,
	} {
		if v2, ok := got[want]; !ok || v2 != v {
			t.Errorf("%s is %v (%t), want %v", want, v2, ok, v)
		}
	}
	f.Remove("a")
	for s := range series() {
		if strings.Contains(s, "tenant=a") {
			t.Errorf("%s is still there", s)
		}
	}
	everything(a) // what still runs may announce itself
}

// What Prometheus scrapes is what is gathered, in each of its formats.
func TestScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watched(metrics.NewFleet("v1", process()))
		for _, name := range []string{"a", `hostile "name"` + "\n\\ <b>"} {
			everything(f.Tenant(name))
		}
		families, err := f.Gather()
		if err != nil {
			t.Fatal(err)
		}
		want := values(families)
		for _, accept := range []string{"", "application/openmetrics-text;version=1.0.0", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"} {
			for _, coding := range []string{"", "br, gzip;q=0.8", "gzip;q=0"} {
				r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept", accept)
				r.Header.Set("Accept-Encoding", coding)
				w := httptest.NewRecorder()
				f.ServeHTTP(w, r)
				var body io.Reader = w.Body
				if packed := w.Header().Get("Content-Encoding") == "gzip"; packed != (coding == "br, gzip;q=0.8") {
					t.Errorf("%q is answered with gzip: %t", coding, packed)
				} else if packed {
					if body, err = gzip.NewReader(w.Body); err != nil {
						t.Fatal(err)
					}
				}
				text, err := io.ReadAll(body)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(accept, "openmetrics") {
					if !bytes.HasSuffix(text, []byte("# EOF\n")) {
						t.Errorf("the answer to %q ends with %q", accept, text[max(0, len(text)-40):])
					}
					continue // the parser does not know it
				}
				got, err := parsed(text, expfmt.ResponseFormat(w.Header()))
				if err != nil {
					t.Fatalf("%q: %v\n%s", accept, err, text)
				}
				if !maps.Equal(values(got), want) {
					t.Errorf("%q: the scrape is\n%v\nwant\n%v", accept, values(got), want)
				}
			}
		}
	})
}

func parsed(text []byte, format expfmt.Format) (all []*dto.MetricFamily, err error) {
	d := expfmt.NewDecoder(bytes.NewReader(text), format)
	for {
		f := &dto.MetricFamily{}
		if err := d.Decode(f); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
}

// The ledger shows more commits than are remembered, again and again.
func TestCommitsAreCountedOnce(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.New(reg, "v1")
	var ids []tvmexport.RunID
	for i := range 200 {
		ids = append(ids, tvmexport.RunID(time.Unix(int64(i), 0).UTC().Format(time.RFC3339)))
		for _, id := range ids[max(0, len(ids)-60):] {
			m.Commit("T", id, 1, time.Now())
		}
	}
	want := "# HELP tvmexport_rows_committed_total Rows published by committed runs, according to the ledger.\n# TYPE tvmexport_rows_committed_total counter\ntvmexport_rows_committed_total{table=\"T\"} 200\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tvmexport_rows_committed_total"); err != nil {
		t.Error(err)
	}
}

// crowd is a fleet whose tenants have done something.
func crowd(tenants, tables int) *metrics.Fleet {
	f := watched(metrics.NewFleet("v1", process()))
	for i := range tenants {
		m := f.Tenant(fmt.Sprintf("customer-%04d", i))
		m.Label(metrics.Labels{Tenant: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), Database: fmt.Sprintf("customer-%04d", i)})
		h := m.Hooks()
		for j := range tables {
			for n := range 20 {
				run := tvmexport.Run{ID: tvmexport.RunID(fmt.Sprintf("R%02d", n)), Table: tvmexport.Table{Name: fmt.Sprintf("DeviceTvmSoftwareVulnerabilities%d", j)}}
				h.Started(run)
				h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: 5, Bytes: 50})
				h.Committed(run, 5)
				h.Ended(tvmexport.Ending{Table: run.Table.Name, Run: run.ID, Rows: 5, Effect: tvmexport.Effect{TableRows: 9, Took: 20 * time.Second}})
			}
		}
		for _, service := range []string{"defender", "kusto"} {
			rt := m.RoundTripper(service, roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil }))
			_, _ = rt.RoundTrip(nil)
		}
		m.Quota(func() metrics.Quota { return metrics.Quota{Minute: 1, Hour: 2, PerMinute: 45, PerHour: 750} })
	}
	return f
}

// A tenant costs a few kilobytes.
func TestMemoryOfTenants(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	f := crowd(200, 9)
	each := (heap() - before) / 200
	t.Logf("%d bytes for each tenant", each)
	if each > 12<<10 {
		t.Errorf("the metrics of a tenant with nine tables cost %d bytes", each)
	}
	families, err := f.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, family := range families {
		n += len(family.Metric)
	}
	t.Logf("%d series for each tenant", n/200)
	if n/200 > 200 {
		t.Errorf("a tenant has %d series", n/200)
	}
}

// BenchmarkScrape is a scrape of 1,000 tenants with nine tables each.
func BenchmarkScrape(b *testing.B) {
	f := crowd(1000, 9)
	for _, coding := range []string{"identity", "gzip"} {
		b.Run(coding, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept-Encoding", coding)
				w := &sink{header: http.Header{}}
				f.ServeHTTP(w, r)
				b.ReportMetric(float64(w.n)/1e6, "MB/scrape")
			}
		})
	}
}

// sink counts what is written to it.
type sink struct {
	header http.Header
	n      int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(p []byte) (int, error) {
	s.n += len(p)
	return len(p), nil
}
