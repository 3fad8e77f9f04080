package progress_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/progress"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 5012345: "5,012,345", -1234: "-1,234"} {
		if got := progress.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 12_345_678: "12.3 MB", 5_000_000_000: "5.0 GB"} {
		if got := progress.Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

// story plays a run of two tables, one of which fails.
func story(p progress.Printer) {
	h := p.Hooks()
	good := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "DeviceTvmHardwareFirmware"}}
	bad := tvmexport.Run{ID: "R2", Table: tvmexport.Table{Name: "DeviceTvmCertificateInfo"}}
	if h.Chosen != nil {
		h.Chosen([]string{good.Table.Name, bad.Table.Name})
	}
	for _, r := range []tvmexport.Run{good, bad} {
		h.Planned(r, 1200, 1)
	}
	p.Wait("throttled", time.Date(2026, 11, 23, 14, 32, 10, 0, time.Local))
	h.Fetched(good, tvmexport.Slice{}, tvmexport.Answer{Rows: 1200, Bytes: 400_000, Took: 120 * time.Millisecond})
	h.Confirmed(good, 0, 1)
	h.Confirmed(good, 1, 1)
	h.Published(good, 1200)
	h.Committed(good, 1200)
	h.Failed(bad.Table.Name, bad.ID, errors.New("no such table"))
	p.Close()
}

func TestLines(t *testing.T) { synctest.Test(t, testLines) }

func testLines(t *testing.T) {
	var out strings.Builder
	story(progress.New(&out, false, 0))
	for _, want := range []string{
		"planned: 1,200 rows in about 1 call",
		"waiting: throttled, resumes 14:32:10",
		"fetched: 1,200 rows, 400.0 kB in 120ms",
		"landed: 1 batch",
		"committed: run R1",
		"failed: no such table",
		"\n(all tables) 1 of 2 tables done, 1,200 rows, 400.0 kB, 0s",
		"\n(all tables) 2 of 2 tables done, 1 failed, 1,200 rows, 400.0 kB, 0s\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, out.String())
		}
	}
}

func TestBars(t *testing.T) {
	var out strings.Builder
	p := progress.New(&out, true, 120)
	h := p.Hooks()
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "DeviceTvmHardwareFirmware"}}
	h.Started(run)
	h.Planned(run, 1200, 1)
	h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: 1200})
	h.Confirmed(run, 1, 1)
	h.Committed(run, 1200)
	p.Close()
	for _, want := range []string{"DeviceTvmHardwareFirmware", "1,200 rows, committed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, out.String())
		}
	}
}

// Bars go on terminals that know nothing but ASCII and no colours; a wait is
// shown as one, and how many calls the minute still allows.
func TestBarsWhileFetching(t *testing.T) {
	var out strings.Builder
	p := progress.New(&out, true, 160)
	h := p.Hooks()
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "DeviceTvmHardwareFirmware"}}
	until := time.Now().Add(time.Hour)
	p.(interface{ Budget(func() int) }).Budget(func() int { return 12 })
	h.Started(run)
	h.Planned(run, 12_000, 1)
	h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: 1200})
	p.Close() // draws the last state
	for _, want := range []string{"1,200 rows, ", "/s, ", "calls: 12 left this minute"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, out.String())
		}
	}
	out.Reset()
	p = progress.New(&out, true, 160)
	h = p.Hooks()
	h.Started(run)
	h.Planned(run, 12_000, 1)
	p.Wait("the service throttles the tenant", until)
	p.Close()
	if want := "throttled, resumes " + until.Local().Format(time.TimeOnly); !strings.Contains(out.String(), want) {
		t.Errorf("missing %q in:\n%s", want, out.String())
	}
	for _, r := range out.String() {
		if r > 126 {
			t.Fatalf("%q is not ASCII", r)
		}
	}
	if strings.Contains(out.String(), "\x1b[3") {
		t.Error("the bars are coloured")
	}
}

func TestLog(t *testing.T) {
	var out strings.Builder
	story(progress.NewLog(slog.New(slog.NewJSONHandler(&out, nil))))
	for _, want := range []string{
		`"msg":"planned","table":"DeviceTvmHardwareFirmware","run":"R1","rows":1200`, `"msg":"waiting","cause":"throttled"`,
		`"msg":"fetched"`, `"msg":"committed"`, `"level":"ERROR","msg":"failed","table":"DeviceTvmCertificateInfo","run":"R2","error":"no such table"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, out.String())
		}
	}
}

func TestRequests(t *testing.T) {
	var q progress.Requests
	h := q.Hooks()
	for i, id := range []string{"a", "", "b"} {
		h.Fetched(tvmexport.Run{ID: "R1"}, tvmexport.Slice{}, tvmexport.Answer{Request: id})
		h.Fetched(tvmexport.Run{ID: "R2"}, tvmexport.Slice{}, tvmexport.Answer{Request: strings.Repeat("x", i)})
	}
	if got := strings.Join(q.Of("R1"), " "); got != "a b" {
		t.Errorf("the requests of R1 are %q", got)
	}
	if q.Of("R3") != nil {
		t.Error("a run that never was has requests")
	}
}
