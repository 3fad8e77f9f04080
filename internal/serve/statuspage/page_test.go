package statuspage_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hostile = `<script>alert(1)</script>"'&`

func board() *statuspage.Board {
	b := statuspage.NewBoard(statuspage.Setup{Host: "h", Version: "v1", Cluster: "https://adx", Database: "security", Began: time.Now()})
	now := time.Now()
	b.Tables([]statuspage.Table{
		{
			Name: "A", Into: "ARaw", Load: "Snapshot", Active: true, Rows: 5300, RowsKnown: true, FullAt: now.Add(-7 * time.Hour), Deltas: 1,
			Runs: []statuspage.Run{
				{
					Table: "A", ID: "R2", Previous: "R1", Load: "Snapshot", Committed: true, Began: now.Add(-time.Hour), At: now.Add(-50 * time.Minute),
					Rows: 5300, Growth: -7, RowsKnown: true, Changed: 1200, Bytes: 5000, Calls: 3, Took: 12 * time.Second,
				},
				{Table: "A", ID: "R1", Committed: true, At: now.Add(-7 * time.Hour), Changed: 600}, // of an earlier version
			},
		},
		{Name: "DeviceInfo", Into: "DeviceInfoRaw", Load: "Incr", Active: true, Rows: 530, RowsKnown: true, Runs: []statuspage.Run{
			{Table: "DeviceInfo", ID: "R4", Load: "Incr", Committed: true, At: now.Add(-time.Hour), Watermark: now.Add(-2 * time.Hour), Rows: 530, RowsKnown: true},
		}},
		{Name: "B", Into: "BRaw", Load: "Incr", Active: true, Runs: []statuspage.Run{
			{Table: "B", At: now.Add(-time.Minute), Failure: statuspage.ProblemOfText("ready B: the table BRaw is missing (tvmexport init makes it)", now)},
		}},
		{Name: hostile, Into: hostile, Load: "Snapshot"},
	}, nil)
	b.Scheduled(func(string) (string, time.Time, time.Duration) {
		return "0 */6 * * *", now.Add(2 * time.Hour), 6 * time.Hour
	})
	return b
}

func get(t *testing.T, b *statuspage.Board, path string) (int, string) {
	t.Helper()
	h, err := statuspage.NewHandler(b, func(_ context.Context, table, run string) (statuspage.Record, error) {
		if run == "R1" {
			return statuspage.Record{}, errors.New("the ledger is away")
		}
		return statuspage.Record{
			Rows:       []statuspage.RecordRow{{State: "committed", Rows: 1200, Detail: `{"depth":1}`}},
			Partitions: []statuspage.RecordPartition{{Name: "3f", Rows: 17, Fingerprint: "0011"}},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestPages(t *testing.T) {
	for path, want := range map[string]struct {
		code int
		has  []string
	}{
		"/": {200, []string{
			"1 table failed in the last run", "<b>5,830</b><span>as readers see them", "<b>1,800 <i>rows</i></b><span>3 runs",
			`Full state<span class="sub">last full snapshot 7h ago, 1 delta since</span>`, `5,300 rows<span class="sub">1,200 fetched (-7)</span>`,
			`12s<span class="sub">3 calls, 5.0 kB</span>`, `Events<span class="sub">watermark `, `530 rows<span class="sub">no change</span>`, "Device<wbr>Info</a>", "To fix it:</strong> tvmexport init makes it", "the table BRaw is missing</p>",
			"A: Last 2 runs: 2 committed, 0 failed; the newest: 1,200 fetched (-7)", `href="/tables/A"`, "0 */6 * * *", `<noscript><meta http-equiv="refresh"`,
		}},
		"/live": {200, []string{`<section id="now"`, `id="rows"`}},
		"/tables/A": {200, []string{
			"<b class=\"text\">A<wbr>Raw</b>", `href="/tables/A/runs/R2"`, "3 calls, 5.0 kB", "<b>5,300 <i>rows</i></b><span>1,200 fetched (-7)</span>",
			"Full state", "last full snapshot 7h ago, 1 delta since", `<td class="n">–</td><td class="n">600 fetched</td>`, "Rows that each run changed, at most 1,200; ",
		}},
		"/tables/B":           {200, []string{"the table BRaw is missing", "none began"}},
		"/tables/nobody":      {404, []string{"No table of this name"}},
		"/tables/A/runs/R2":   {200, []string{`href="/tables/A/runs/R1"`, "&#34;depth&#34;: 1", "<code>3f</code>", "<dt>Took</dt><dd>12s</dd>", "<dt>Rows of the table</dt><dd>5,300</dd>"}},
		"/tables/DeviceInfo":  {200, []string{"watermark ", "<b>530 <i>rows</i></b><span>no change</span>"}},
		"/tables/A/runs/R1":   {200, []string{"The ledger could not be read: the ledger is away"}},
		"/tables/A/runs/R9":   {404, []string{"not among the newest runs"}},
		"/nonsense":           {404, []string{"no such page"}},
		"/assets/live.js":     {200, []string{"EventSource"}},
		"/assets/nonsense.js": {404, nil},
	} {
		code, body := get(t, board(), path)
		if code != want.code {
			t.Errorf("%s answers %d, want %d", path, code, want.code)
		}
		for _, s := range want.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s lacks %q:\n%s", path, s, body)
			}
		}
		for _, s := range []string{"<script>alert", "style=", "onclick", "ZgotmplZ", "<no value>"} {
			if strings.Contains(body, s) {
				t.Errorf("%s holds %q", path, s)
			}
		}
	}
}

// The pages of a Snapshot do not speak of a watermark, which it has not.
func TestSnapshotHasNoWatermark(t *testing.T) {
	for _, path := range []string{"/tables/A", "/tables/A/runs/R2"} {
		if _, body := get(t, board(), path); strings.Contains(strings.ToLower(body), "watermark") {
			t.Errorf("%s speaks of a watermark:\n%s", path, body)
		}
	}
}

// What an export announces is on the page while it goes on.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board()
		h := b.Hooks()
		run := tvmexport.Run{ID: "R3", Table: tvmexport.Table{Name: "A"}}
		shows := func(step string, want ...string) {
			t.Helper()
			_, body := get(t, b, "/live")
			for _, w := range want {
				if !strings.Contains(body, w) {
					t.Errorf("%s: the page lacks %q:\n%s", step, w, body)
				}
			}
		}
		b.Exporting([]string{"A"})
		h.Started(run)
		shows("started", "Exporting A", "counting rows")
		h.Planned(run, 10_000, 3)
		time.Sleep(10 * time.Second)
		h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: 4000})
		shows("fetched", "4,000 of 10,000 rows, 400 a second, about 15s left", `value="4000"`)
		b.Waiting("the service throttles the tenant", time.Now().Add(time.Minute))
		shows("waiting", "the service throttles the tenant, resumes "+time.Now().Add(time.Minute).UTC().Format(time.TimeOnly))
		time.Sleep(2 * time.Minute)
		shows("going on", "Calls to Defender continue")
		h.Retrying(run, "fetch", time.Second, errors.New("the answer was cut"))
		shows("retrying", "trying fetch again in 1s: the answer was cut")
		h.Landing(run, tvmexport.Batch{})
		h.Confirmed(run, 0, 1)
		shows("landing", "0 of 1 batches have landed")
		h.Confirmed(run, 1, 1)
		shows("publishing", "rows into the published table")
		h.Failed("A", run.ID, &tvmexport.Error{Op: "publish", Table: "A", Err: errors.New("no room"), Hint: "make room"})
		b.Exporting(nil)
		shows("failed", "2 tables failed in the last run", "publish A: no room</p>", "To fix it:</strong> make room")
		h.Started(run)
		h.Committed(run, 10_000)
		h.Ended(tvmexport.Ending{Table: "A", Run: run.ID, Rows: 10_000, Effect: tvmexport.Effect{TableRows: 12_000, Growth: 10_000}})
		shows("ended", "<p>12,000 rows, 10,000 added</p>")
		shows("committed", `<span class="step">committed</span>`, "1 table failed")
	})
}

func TestProblemOfText(t *testing.T) {
	for text, fix := range map[string]string{
		"fetch T: refused (grant the application permission (one) and consent)": "grant the application permission (one) and consent",
		"fetch T: refused (request 12 34 56)":                                   "",
		"fetch T: refused (twice)":                                              "",
		"fetch T: refused":                                                      "",
		")":                                                                     "",
		"(all of it is a hint)":                                                 "",
	} {
		p := statuspage.ProblemOfText(text, time.Now())
		if p.Fix != fix || fix == "" && p.Text != text {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

// An open page is notified of changes soon, and without changes after a while.
// Its stream ends with its reader.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board()
		h, err := statuspage.NewHandler(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		w := &stream{header: http.Header{}, lines: make(chan string, 100)}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx))
		}()
		began := time.Now()
		next := func() time.Duration {
			for line := range w.lines {
				if strings.HasPrefix(line, "event: changed") {
					return time.Since(began)
				}
			}
			return 0
		}
		if at := next(); at != 0 {
			t.Errorf("the first event comes after %s", at)
		}
		if at := next(); at != 10*time.Second {
			t.Errorf("without a change the next comes at %s", at)
		}
		time.Sleep(3 * time.Second)
		for range 100 {
			b.Exporting([]string{"A"})
		}
		if at := next(); at != 13*time.Second {
			t.Errorf("after a change it comes at %s", at)
		}
		leave()
		<-ended
	})
}

// stream is a ResponseWriter whose lines come as they are written.
type stream struct {
	header http.Header
	lines  chan string
}

func (s *stream) Header() http.Header { return s.header }
func (s *stream) WriteHeader(int)     {}
func (s *stream) Flush()              {}
func (s *stream) Write(p []byte) (int, error) {
	for l := bufio.NewScanner(strings.NewReader(string(p))); l.Scan(); {
		s.lines <- l.Text()
	}
	return len(p), nil
}
