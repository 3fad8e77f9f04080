package statuspage_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

// every6h is the schedule of the tenants in tests.
const every6h = 6 * time.Hour

// committed is a table whose newest run was committed some time ago.
func committed(name string, ago time.Duration) statuspage.Table {
	at := time.Now().Add(-ago)
	return statuspage.Table{Name: name, Into: name + "Raw", Load: "Snapshot", Active: true, Rows: 10, RowsKnown: true, Runs: []statuspage.Run{
		{Table: name, ID: "R2", Previous: "R1", Load: "Snapshot", Committed: true, At: at, Rows: 10, RowsKnown: true, Changed: 3},
		{Table: name, ID: "R1", Load: "Snapshot", Committed: true, At: at.Add(-time.Hour), Rows: 7, RowsKnown: true, Changed: 7},
	}}
}

func failed(name, text string) statuspage.Table {
	t := committed(name, 7*time.Hour)
	t.Runs = append([]statuspage.Run{{Table: name, ID: "R3", At: time.Now(), Failure: statuspage.ProblemOfText(text, time.Now())}}, t.Runs...)
	return t
}

// tenantOf adds a tenant with tables that are scheduled every six hours.
func tenantOf(f *statuspage.Fleet, name string, tables ...statuspage.Table) *statuspage.Board {
	b := f.Board(name, statuspage.Setup{Tenant: "id-of-" + name, Cluster: "https://adx", Database: "d-" + name}, statuspage.Reader{})
	b.Tables(tables, nil)
	b.Scheduled(func(string) (string, time.Time, time.Duration) {
		return "0 */6 * * *", time.Now().Add(time.Hour), every6h
	})
	return b
}

func newFleet() *statuspage.Fleet {
	return statuspage.NewFleet(statuspage.FleetSetup{Host: "h", Version: "v1", Began: time.Now()})
}

// ask asks the pages of a fleet.
func ask(t *testing.T, f *statuspage.Fleet, path string) (int, string) {
	t.Helper()
	h, err := statuspage.NewFleetHandler(f)
	if err != nil {
		t.Fatal(err)
	}
	return askHandler(t, h, path)
}

func askHandler(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

var rowOf = regexp.MustCompile(`(?s)<tr role="row"><th role="rowheader".*?</tr>`)

// Each state of a tenant, worst first, with what its row says.
func TestTenantStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := tvmexport.Run{ID: "R9", Table: tvmexport.Table{Name: "A"}}
		off := committed("A", 0)
		off.Active = false
		held := committed("A", time.Hour)
		held.HeldBy = "another exporter"
		states := []struct {
			name, badge string
			make        func(f *statuspage.Fleet, name string)
			says        []string
		}{
			{"unreadable", "unreadable", func(f *statuspage.Fleet, name string) {
				f.Unreadable(name, errors.New("unknown key shedule"))
			}, []string{"the configuration cannot be read: unknown key shedule", "never", "not scheduled"}},
			{"no ledger, never", "failing", func(f *statuspage.Fleet, name string) {
				f.Board(name, statuspage.Setup{}, statuspage.Reader{}).Tables(nil, errors.New("no such host"))
			}, []string{"failing", "the ledger cannot be read: no such host"}},
			{"failing longer", "failing", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, failed("A", "no"), committed("B", 30*time.Hour))
			}, []string{"/tables/A\">A</a>: no"}},
			{"failing", "failing", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, failed("DeviceInfo", "refused\nby <b>"), committed("Fine", time.Hour), failed("Else", "also"))
			}, []string{"Device<wbr>Info</a> and 1 more: refused by &lt;b&gt;"}},
			{"no reload", "failing", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, committed("A", time.Hour)).Reloaded(errors.New("a typo"))
			}, []string{"the configuration was not reloaded: a typo"}},
			{"late", "late", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, committed("A", 14*time.Hour), committed("B", time.Hour))
			}, []string{"late", ">1h</time>", "/tables/A", "scheduled every 6h"}},
			{"missed", "missed", func(f *statuspage.Fleet, name string) {
				at := time.Now().Add(-30 * time.Minute)
				tenantOf(f, name, committed("A", time.Hour)).Missed(statuspage.Missed{Table: "A", Count: 1, First: at, Last: at, Reason: "another export was still running"})
			}, []string{"missed a schedule", "another export was still running"}},
			{"waiting", "waiting", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, committed("A", time.Hour)).Waiting("the quota of the minute is used", time.Now().Add(time.Minute))
			}, []string{"waiting for quota", "the quota of the minute is used, resumes "}},
			{"never", "never", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, statuspage.Table{Name: "A", Active: true}).Queued(time.Now())
			}, []string{"never exported", "no run has been committed yet", "waits for a worker"}},
			{"never, now", "never", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, statuspage.Table{Name: "A", Active: true}).Exporting([]string{"A"})
			}, []string{"never exported", "exporting now"}},
			{"queued", "queued", func(f *statuspage.Fleet, name string) {
				tenantOf(f, name, committed("A", time.Hour)).Queued(time.Now())
			}, []string{"waiting for a worker", "due since "}},
			{"running", "running", func(f *statuspage.Fleet, name string) {
				b := tenantOf(f, name, committed("A", time.Hour), committed("B", time.Hour))
				b.Queued(time.Now())
				b.Exporting([]string{"A", "B"})
				b.Hooks().Started(run)
			}, []string{"exporting 2 tables"}},
			{"running elsewhere", "running", func(f *statuspage.Fleet, name string) { tenantOf(f, name, held) }, []string{"A is exported by another exporter"}},
			{"starting", "starting", func(f *statuspage.Fleet, name string) {
				f.Board(name, statuspage.Setup{}, statuspage.Reader{})
			}, []string{"starting"}},
			{"fresh", "fresh", func(f *statuspage.Fleet, name string) {
				b := tenantOf(f, name, committed("A", time.Hour))
				b.Quota(func() *statuspage.Quota { return &statuspage.Quota{Hour: 12, PerHour: 750} })
			}, []string{"fresh", "12 of 750", "id-of-fresh"}},
			{"missed and caught up on", "fresh", func(f *statuspage.Fleet, name string) {
				at := time.Now().Add(-2 * time.Hour)
				b := tenantOf(f, name, committed("A", time.Hour))
				b.Missed(statuspage.Missed{Table: "A", Count: 1, First: at, Last: at, Reason: "busy"})
				b.Missed(statuspage.Missed{Table: "A", Count: 1, First: time.Now(), Last: time.Now(), Reason: "down", MadeUp: true})
			}, nil},
			{"off", "off", func(f *statuspage.Fleet, name string) { tenantOf(f, name, off) }, []string{"no active table"}},
		}
		f := newFleet()
		for i := range states {
			s := states[len(states)-1-i]
			s.make(f, s.name)
		}
		_, page := ask(t, f, "/")
		rows := rowOf.FindAllString(page, -1)
		if len(rows) != len(states) {
			t.Fatalf("%d rows of %d tenants:\n%s", len(rows), len(states), page)
		}
		counts := map[string]int{}
		for i, s := range states {
			counts[s.badge]++
			for _, want := range append(s.says, ">"+s.name+"</a>", `class="badge `+s.badge+`"`, `href="/tenants/`+url.PathEscape(s.name)+"/") {
				if !strings.Contains(rows[i], want) {
					t.Errorf("row %d is not that of %q, or lacks %q:\n%s", i, s.name, want, rows[i])
				}
			}
		}
		for state, n := range f.Counts() {
			if n != counts[state] {
				t.Errorf("%d tenants are %s, want %d", n, state, counts[state])
			}
			if want := fmt.Sprintf(`<a id="s-%s" href="/?state=%[1]s"><b>%d</b> `, state, n); !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
			_, filtered := ask(t, f, "/?state="+state)
			if got := len(rowOf.FindAllString(filtered, -1)); got != n {
				t.Errorf("the filter %s shows %d tenants, want %d", state, got, n)
			}
		}
		if !strings.Contains(page, "7 of 17 tenants need attention") {
			t.Errorf("the page does not say how many tenants need attention:\n%s", page)
		}
		// The last commit, and nothing else, ends what was missed.
		time.Sleep(time.Hour)
		f.Board("missed", statuspage.Setup{}, statuspage.Reader{}).Tables([]statuspage.Table{committed("A", time.Minute)}, nil)
		if n := f.Counts()["missed"]; n != 0 {
			t.Errorf("%d tenants have missed a schedule after a commit", n)
		}
	})
}

// Names come from files and configurations: they are text everywhere.
func TestHostileTenants(t *testing.T) {
	f := newFleet()
	names := []string{hostile, "a/b", "a b?c=d#e", "100%", "%2e%2e", "Äther GmbH", "..x", "a;b:c@d", `\`, "état &amp;"}
	for _, name := range names {
		tenantOf(f, name, failed(hostile, hostile))
	}
	h, err := statuspage.NewFleetHandler(f)
	if err != nil {
		t.Fatal(err)
	}
	_, page := askHandler(t, h, "/")
	links := regexp.MustCompile(`id="t-[^"]*" href="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) != len(names) {
		t.Fatalf("%d links to %d tenants:\n%s", len(links), len(names), page)
	}
	paths := []string{"/?name=" + url.QueryEscape(hostile), "/?state=" + url.QueryEscape(hostile)}
	for _, link := range links {
		paths = append(paths, link[1], link[1]+"live", link[1]+"tables/"+url.PathEscape(hostile), link[1]+"tables/nobody")
	}
	for _, path := range paths {
		code, body := askHandler(t, h, strings.ReplaceAll(path, "&amp;", "&"))
		if want := map[bool]int{true: 404, false: 200}[strings.HasSuffix(path, "nobody")]; code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
		for _, s := range []string{"<script>alert", "ZgotmplZ", "<no value>", "style=", `href="/tables/`} {
			if strings.Contains(body, s) {
				t.Errorf("%s holds %q:\n%s", path, s, body)
			}
		}
	}
}

// The filter by name, and pages.
func TestFleetPaging(t *testing.T) {
	f := newFleet()
	for i := range 250 {
		tenantOf(f, fmt.Sprintf("tenant-%03d", i), committed("A", time.Hour))
	}
	tenantOf(f, "Contoso", failed("A", "no"))
	for path, want := range map[string]struct {
		rows int
		has  []string
	}{
		"/":                            {100, []string{"1 to 100 of 251 tenants", "Page 1 of 3", `href="/?page=2"`, ">Contoso<"}},
		"/?page=3":                     {51, []string{"201 to 251 of 251 tenants", `href="/?page=2"`}},
		"/?page=99":                    {51, []string{"Page 3 of 3"}},
		"/?page=-1":                    {100, []string{"Page 1 of 3"}},
		"/?page=x":                     {100, []string{"Page 1 of 3"}},
		"/?name=CONTO":                 {1, []string{`value="CONTO"`, "<b>1</b> all", `href="/?name=CONTO&amp;state=failing"`, "1 to 1 of 1 tenant,"}},
		"/?name=tenant-1":              {100, []string{"1 to 100 of 100 tenants"}},
		"/?name=id-of-tenant-11":       {10, nil},
		"/?state=fresh&page=2":         {100, []string{`href="/?page=3&amp;state=fresh"`, `<input type="hidden" name="state" value="fresh">`}},
		"/?state=fresh&name=contoso":   {0, []string{"No tenant is in this state and has this name."}},
		"/?state=nonsense":             {0, nil},
		"/live?name=tenant-24&state=x": {0, nil},
	} {
		code, body := ask(t, f, path)
		if n := len(rowOf.FindAllString(body, -1)); code != 200 || n != want.rows {
			t.Errorf("%s answers %d with %d rows, want %d", path, code, n, want.rows)
		}
		for _, s := range want.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s lacks %q", path, s)
			}
		}
	}
	if _, body := ask(t, newFleet(), "/"); !strings.Contains(body, "No tenant is configured") {
		t.Errorf("an empty fleet is\n%s", body)
	}
}

// A reader of the live part who has it is not sent it again.
func TestLiveIsNotSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		b := tenantOf(f, "one", committed("A", time.Hour))
		h, err := statuspage.NewFleetHandler(f)
		if err != nil {
			t.Fatal(err)
		}
		live := func(tag string) (int, string) {
			r := httptest.NewRequest(http.MethodGet, "/live", nil)
			r.Header.Set("If-None-Match", tag)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code, w.Header().Get("ETag")
		}
		_, tag := live("")
		time.Sleep(3 * time.Second)
		if code, _ := live(tag); code != http.StatusNotModified || tag == "" {
			t.Errorf("without a change the answer to %s is %d", tag, code)
		}
		b.Exporting([]string{"A"})
		if code, newer := live(tag); code != 200 || newer == tag {
			t.Errorf("after a change the answer is %d", code)
		}
	})
}

// reading is a ledger that counts its readers, and can be away or slow.
type reading struct {
	mu    sync.Mutex
	n     int
	err   error
	until chan struct{} // nil: it answers immediately
}

func (l *reading) reader() statuspage.Reader {
	return statuspage.Reader{
		Runs: func(ctx context.Context) (map[string][]statuspage.Run, error) {
			l.mu.Lock()
			l.n++
			err, until := l.err, l.until
			l.mu.Unlock()
			if until != nil {
				select {
				case <-until:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			return map[string][]statuspage.Run{"A": append(committed("A", time.Hour).Runs, statuspage.Run{Table: "A", ID: "R0", Committed: true, At: time.Now().Add(-9 * time.Hour), Changed: 4321})}, err
		},
		Record: func(_ context.Context, table, run string) (statuspage.Record, error) {
			return statuspage.Record{Rows: []statuspage.RecordRow{{State: "committed", Owner: table + run}}}, nil
		},
	}
}

func (l *reading) set(err error, until chan struct{}) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err, l.until = err, until
	return l.n
}

// The tenant's own pages are those of an exporter of one tenant, under its name.
func TestTenantPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		var ledger reading
		b := f.Board("contoso", statuspage.Setup{Tenant: "the-id", Cluster: "https://adx", Database: "security"}, ledger.reader())
		b.Tables([]statuspage.Table{committed("A", time.Hour)}, nil)
		tenantOf(f, "other", committed("A", time.Hour))
		h, err := statuspage.NewFleetHandler(f)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]struct {
			code int
			has  []string
		}{
			"/tenants/contoso/": {200, []string{
				"<title>contoso: No problems · tvmexport</title>", `<h1 id="summary">contoso: No problems</h1>`, `<a href="/">All tenants</a>`, `data-root="/tenants/contoso"`,
				`href="/tenants/contoso/tables/A"`, "the-id", "https://adx", "3 runs", "A: Last 3 runs", `<a class="brand" href="/">`,
			}},
			"/tenants/contoso/live":                 {200, []string{`<section id="now"`, "contoso: No problems"}},
			"/tenants/contoso/tables/A":             {200, []string{"<title>contoso: A ·", "<h1>contoso: A", `href="/tenants/contoso/tables/A/runs/R0"`, "4,321 fetched"}},
			"/tenants/contoso/tables/A/runs/R0":     {200, []string{"<title>contoso: Run R0 ·", ">contoso: R0", `href="/tenants/contoso/">contoso</a>`, "committed"}},
			"/tenants/contoso/tables/A/runs/R8":     {404, []string{"not among the newest runs", `href="/tenants/contoso/"`}},
			"/tenants/contoso/tables/nobody":        {404, []string{"contoso: Not found"}},
			"/tenants/nobody/":                      {404, []string{"No tenant of this name", `href="/"`}},
			"/tenants/contoso/nonsense":             {404, []string{"no such page"}},
			"/tenants/":                             {404, nil},
			"/tables/A":                             {404, nil},
			"/assets/live.js":                       {200, []string{"EventSource"}},
			"/tenants/other/tables/A/runs/R0":       {404, nil},
			"/tenants/contoso/tables/A/runs/R0?a=b": {200, nil},
		} {
			code, body := askHandler(t, h, path)
			if code != want.code {
				t.Errorf("%s answers %d, want %d", path, code, want.code)
			}
			for _, s := range want.has {
				if !strings.Contains(body, s) {
					t.Errorf("%s lacks %q:\n%s", path, s, body)
				}
			}
			if strings.Contains(body, `href="/tables/`) {
				t.Errorf("%s leads to pages of no tenant", path)
			}
		}
		if code, _ := askHandler(t, h, "/tenants/contoso"); code/100 != 3 {
			t.Errorf("without its slash the page answers %d", code)
		}
		if n := ledger.set(nil, nil); n != 1 {
			t.Errorf("the pages have read the runs %d times", n)
		}
		time.Sleep(time.Minute)
		b.Tables([]statuspage.Table{committed("A", time.Second)}, nil)
		askHandler(t, h, "/tenants/contoso/")
		if n := ledger.set(nil, nil); n != 2 {
			t.Errorf("after the ledger was read again the pages have read the runs %d times", n)
		}
	})
}

// A tenant whose ledger is away or slow shows what is known, and nobody else waits.
func TestTenantWithoutLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		var away, slow reading
		for name, ledger := range map[string]*reading{"away": &away, "slow": &slow} {
			f.Board(name, statuspage.Setup{Database: "d"}, ledger.reader()).Tables([]statuspage.Table{committed("A", time.Hour)}, nil)
		}
		tenantOf(f, "fine", committed("A", time.Hour))
		away.set(errors.New("connection refused"), nil)
		slow.set(nil, make(chan struct{}))
		h, err := statuspage.NewFleetHandler(f)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, body := askHandler(t, h, "/tenants/away/"); !strings.Contains(body, "could not be read from the ledger: connection refused") || !strings.Contains(body, "A: Last 1 runs") {
				t.Errorf("the page is\n%s", body)
			}
		}
		if n := away.set(nil, nil); n != 1 {
			t.Errorf("a ledger that is away was asked %d times", n)
		}
		var wait sync.WaitGroup
		began := time.Now()
		for range 3 {
			wait.Go(func() {
				if _, body := askHandler(t, h, "/tenants/slow/tables/A"); !strings.Contains(body, "could not be read from the ledger: context deadline exceeded") {
					t.Errorf("the page is\n%s", body)
				}
			})
		}
		synctest.Wait()
		for _, path := range []string{"/", "/tenants/fine/", "/tenants/away/", "/live"} {
			if code, _ := askHandler(t, h, path); code != 200 || time.Since(began) != 0 {
				t.Errorf("%s answers %d after %s", path, code, time.Since(began))
			}
		}
		wait.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("readers of a slow ledger wait %s", took)
		}
	})
}

// A tenant comes, changes its database, and goes.
func TestTenantsComeAndGo(t *testing.T) {
	f := newFleet()
	h, err := statuspage.NewFleetHandler(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Unreadable("a", errors.New("bad"))
	if _, body := askHandler(t, h, "/tenants/a/"); !strings.Contains(body, "a: The configuration cannot be read") || !strings.Contains(body, "<p class=\"what\">bad</p>") {
		t.Errorf("the page is\n%s", body)
	}
	first := tenantOf(f, "a", committed("A", time.Hour))
	first.Tenant("signed-in")
	if again := f.Board("a", statuspage.Setup{Database: "moved"}, statuspage.Reader{}); again != first {
		t.Error("a tenant has a new board")
	}
	if _, body := askHandler(t, h, "/tenants/a/"); !strings.Contains(body, "<dd>moved</dd>") || !strings.Contains(body, "signed-in") || strings.Contains(body, "cannot be read") {
		t.Errorf("the page is\n%s", body)
	}
	f.Stopping()
	for _, path := range []string{"/", "/tenants/a/"} {
		if _, body := askHandler(t, h, path); !strings.Contains(body, "Stopping; confirmed batches are kept") {
			t.Errorf("%s does not say that the program ends", path)
		}
	}
	f.Reloaded(errors.New("a typo"))
	if _, body := askHandler(t, h, "/"); !strings.Contains(body, "The configuration was not reloaded</h3><p class=\"what\">a typo</p>") {
		t.Error("the page does not say that the configuration was not reloaded")
	}
	f.Remove("a")
	f.Remove("a")
	if code, _ := askHandler(t, h, "/tenants/a/"); code != 404 {
		t.Errorf("the page of a removed tenant answers %d", code)
	}
	first.Exporting([]string{"A"}) // what still runs may announce itself
}

// The streams: all changes within a pause are one event, each names its tenant, and that
// of a removed tenant ends.
func TestFleetEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		boards := make([]*statuspage.Board, 100)
		for i := range boards {
			boards[i] = tenantOf(f, fmt.Sprintf("tenant \"%d\"", i), committed("A", time.Hour))
		}
		h, err := statuspage.NewFleetHandler(f)
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		open := func(path string) (*stream, chan struct{}) {
			w, ended := &stream{header: http.Header{}, lines: make(chan string, 1000)}, make(chan struct{})
			go func() {
				defer close(ended)
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx))
			}()
			return w, ended
		}
		all, allEnded := open("/events")
		one, oneEnded := open("/tenants/" + url.PathEscape(`tenant "7"`) + "/events")
		for range 60 {
			time.Sleep(500 * time.Millisecond)
			for _, b := range boards {
				b.Exporting([]string{"A"})
			}
		}
		synctest.Wait()
		count := func(w *stream, data string) (n int) {
			for len(w.lines) > 0 {
				if line := <-w.lines; strings.HasPrefix(line, "data: ") {
					if n++; !strings.HasPrefix(line, data) {
						t.Errorf("an event says %s", line)
					}
				}
			}
			return n
		}
		if n := count(all, "data: "); n < 8 || n > 11 {
			t.Errorf("in 30 s of 6,000 changes the page over all is notified %d times", n)
		}
		if n := count(one, `data: {"tenant":"tenant \"7\"","change":`); n < 25 || n > 45 {
			t.Errorf("in 30 s of 60 changes the page of a tenant is notified %d times", n)
		}
		f.Remove(`tenant "7"`)
		<-oneEnded
		leave()
		<-allEnded
	})
}

// Tenants change, come and go while many read.
func TestFleetIsUsedConcurrently(t *testing.T) {
	f := newFleet()
	h, err := statuspage.NewFleetHandler(f)
	if err != nil {
		t.Fatal(err)
	}
	var ledger reading
	const tenants = 20
	var wait sync.WaitGroup
	for i := range tenants {
		name := fmt.Sprintf("t%d", i)
		wait.Go(func() {
			for n := range 20 {
				b := f.Board(name, statuspage.Setup{Database: name}, ledger.reader())
				b.Tables([]statuspage.Table{committed("A", time.Hour), failed("B", "no")}, nil)
				b.Quota(func() *statuspage.Quota { return &statuspage.Quota{} })
				b.Exporting([]string{"A"})
				run, hooks := tvmexport.Run{ID: "R9", Table: tvmexport.Table{Name: "A"}}, b.Hooks()
				hooks.Started(run)
				hooks.Planned(run, 10, 1)
				hooks.Committed(run, 10)
				if n == 19 && i%2 == 0 {
					f.Remove(name)
				}
			}
		})
	}
	for range 3 {
		wait.Go(func() {
			for n := range 40 {
				for _, path := range []string{"/", "/live", fmt.Sprintf("/tenants/t%d/", n%tenants), fmt.Sprintf("/tenants/t%d/tables/A/runs/R0", n%tenants)} {
					if code, _ := askHandler(t, h, path); code != 200 && (code != 404 || !strings.HasPrefix(path, "/tenants/")) {
						t.Errorf("%s answers %d", path, code)
					}
				}
				f.Counts()
			}
		})
	}
	wait.Wait()
	if got := f.Counts()["failing"]; got != tenants/2 {
		t.Errorf("%d tenants fail, want %d", got, tenants/2)
	}
}

// A tenant whose configuration cannot be read has no ledger to ask.
func TestTenantWithoutReader(t *testing.T) {
	f := newFleet()
	tenantOf(f, "a", committed("A", time.Hour))
	if code, body := ask(t, f, "/tenants/a/tables/A/runs/R2"); code != 200 || !strings.Contains(body, ">a: R2") {
		t.Errorf("the page answers %d:\n%s", code, body)
	}
}
