package metrics_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A run that commits, one that loses a batch, one that fails.
func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		m := metrics.New(reg, "v1")
		h := m.Hooks()
		run := func(id string) tvmexport.Run {
			return tvmexport.Run{ID: tvmexport.RunID(id), Table: tvmexport.Table{Name: "T"}}
		}
		one, two, three := run("R1"), run("R2"), run("R3")
		h.Started(one)
		h.Fetched(one, tvmexport.Slice{}, tvmexport.Answer{Rows: 60, Bytes: 600})
		h.Fetched(one, tvmexport.Slice{}, tvmexport.Answer{Rows: 40, Bytes: 400})
		for range 3 { // one of them never lands
			h.Landing(one, tvmexport.Batch{})
		}
		h.Confirmed(one, 1, 2)
		h.Confirmed(one, 1, 2)
		h.Confirmed(one, 2, 2)
		time.Sleep(20 * time.Second)
		h.Committed(one, 100)
		m.Commit("T", one.ID, 100, time.Now()) // the ledger shows what is known
		m.Commit("T", two.ID, 7, time.Now())   // and what is not

		h.Started(three)
		h.Landing(three, tvmexport.Batch{})
		h.Splitting(three, tvmexport.Slice{}, &tvmexport.Error{Action: tvmexport.Split, Cause: tvmexport.Integrity, Err: errors.New("the answer was cut")})
		h.Splitting(three, tvmexport.Slice{}, &tvmexport.Error{Action: tvmexport.Split, Cause: tvmexport.Rejected, Err: errors.New("Query execution has exceeded the allowed result size")})
		h.Splitting(three, tvmexport.Slice{}, &tvmexport.Error{Action: tvmexport.Split, Cause: tvmexport.Rejected, Err: errors.New("the query was pre-empted: Query execution has exceeded the allowed limits")})
		h.Splitting(three, tvmexport.Slice{}, &tvmexport.Error{Action: tvmexport.Split, Err: errors.New("a gateway gave up: 504")})
		h.Retrying(three, "fetch", 2*time.Second, errors.New("cut"))
		h.Failed("T", three.ID, errors.New("no"))
		m.Waiting("throttled", 30*time.Second)
		m.Missed("T", "down", 3)
		time.Sleep(time.Minute)
		m.Quota(func() metrics.Quota {
			return metrics.Quota{Minute: 3, Hour: 9, PerMinute: 45, PerHour: 1500, PausedUntil: time.Now().Add(5 * time.Second)}
		})
		want := `
# HELP tvmexport_batches_total Batches by state: queued for ingestion, confirmed by counting, committed, or dropped because they did not land or their run failed.
# TYPE tvmexport_batches_total counter
tvmexport_batches_total{state="committed",table="T"} 2
tvmexport_batches_total{state="confirmed",table="T"} 2
tvmexport_batches_total{state="dropped",table="T"} 2
tvmexport_batches_total{state="queued",table="T"} 4
# HELP tvmexport_fetched_bytes_total Decompressed JSON bytes in complete answers of Defender.
# TYPE tvmexport_fetched_bytes_total counter
tvmexport_fetched_bytes_total{table="T"} 1000
# HELP tvmexport_partition_splits_total Calls that were split into smaller ones, by reason: rows, size, timeout or resources.
# TYPE tvmexport_partition_splits_total counter
tvmexport_partition_splits_total{reason="resources",table="T"} 1
tvmexport_partition_splits_total{reason="rows",table="T"} 1
tvmexport_partition_splits_total{reason="size",table="T"} 1
tvmexport_partition_splits_total{reason="timeout",table="T"} 1
# HELP tvmexport_quota_pause_seconds Remaining seconds of the pause that Defender asked for.
# TYPE tvmexport_quota_pause_seconds gauge
tvmexport_quota_pause_seconds 5
# HELP tvmexport_quota_used_calls Calls in the last minute and hour, by this and other exporters of the tenant.
# TYPE tvmexport_quota_used_calls gauge
tvmexport_quota_used_calls{window="hour"} 9
tvmexport_quota_used_calls{window="minute"} 3
# HELP tvmexport_rows_committed_total Rows published by committed runs, according to the ledger.
# TYPE tvmexport_rows_committed_total counter
tvmexport_rows_committed_total{table="T"} 107
# HELP tvmexport_rows_fetched_total Rows in complete answers of Defender.
# TYPE tvmexport_rows_fetched_total counter
tvmexport_rows_fetched_total{table="T"} 100
# HELP tvmexport_runs_total Completed runs of tables, by outcome.
# TYPE tvmexport_runs_total counter
tvmexport_runs_total{outcome="committed",table="T"} 1
tvmexport_runs_total{outcome="failed",table="T"} 1
# HELP tvmexport_schedules_missed_total Scheduled times without a run of the table.
# TYPE tvmexport_schedules_missed_total counter
tvmexport_schedules_missed_total{reason="down",table="T"} 3
# HELP tvmexport_table_age_seconds Age of the newest committed run.
# TYPE tvmexport_table_age_seconds gauge
tvmexport_table_age_seconds{table="T"} 60
# HELP tvmexport_wait_seconds_total Seconds that calls to Defender waited, by cause: throttled by the service, the quota of the minute or hour, or a retry.
# TYPE tvmexport_wait_seconds_total counter
tvmexport_wait_seconds_total{cause="hour"} 0
tvmexport_wait_seconds_total{cause="minute"} 0
tvmexport_wait_seconds_total{cause="retry"} 2
tvmexport_wait_seconds_total{cause="throttled"} 30
`
		var names []string
		for line := range strings.Lines(want) {
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				names = append(names, strings.Fields(name)[0])
			}
		}
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
		problems, err := testutil.GatherAndLint(reg)
		if err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
}

func TestCommitsAreForgottenInTime(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.New(reg, "v1")
	for i := range 1000 {
		id := tvmexport.RunID(time.Unix(int64(i), 0).UTC().Format(time.RFC3339))
		for range 2 {
			m.Commit("T", id, 1, time.Now())
		}
	}
	want := "# HELP tvmexport_rows_committed_total Rows published by committed runs, according to the ledger.\n# TYPE tvmexport_rows_committed_total counter\ntvmexport_rows_committed_total{table=\"T\"} 1000\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tvmexport_rows_committed_total"); err != nil {
		t.Error(err)
	}
}

func TestRequests(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.New(reg, "v1")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	c := &http.Client{Transport: m.RoundTripper("defender", http.DefaultTransport)}
	for range 2 {
		r, err := c.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
	c.CloseIdleConnections()
	s.Close()
	if r, err := c.Get(s.URL); err == nil {
		_ = r.Body.Close()
		t.Error("a closed server answers")
	}
	want := `# HELP tvmexport_api_requests_total HTTP requests by service and status code; code is error if there was no answer.
# TYPE tvmexport_api_requests_total counter
tvmexport_api_requests_total{code="429",service="defender"} 2
tvmexport_api_requests_total{code="error",service="defender"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tvmexport_api_requests_total"); err != nil {
		t.Error(err)
	}
}
