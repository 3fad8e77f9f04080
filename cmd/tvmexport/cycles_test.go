//go:build !noemulator

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/kusto"
)

// few is how many cycles the suite makes; TVMEXPORT_CYCLES asks for more.
const few = 4

// every is the time between two exports, if they are quick enough.
const every = time.Second

// TestCycles lets serve export again and again, as a process of its own, while
// services fail now and then and the process is stopped once: no two exports
// overlap, each scheduled time is served or told as missed, what is counted is
// what the ledger holds, and neither memory nor goroutines grow.
func TestCycles(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	n := few
	if text := os.Getenv("TVMEXPORT_CYCLES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	c := newCycles(t)
	c.control(http.MethodPost, "/faults", `[
		{"endpoint": "graph", "status": 429, "headers": {"Retry-After": "1"}, "probability": 0.06, "seed": 1},
		{"endpoint": "graph", "status": 500, "probability": 0.06, "seed": 2},
		{"endpoint": "graph", "truncateJSON": true, "probability": 0.06, "seed": 3},
		{"endpoint": "kusto-mgmt", "status": 504, "apply": true, "probability": 0.03, "seed": 4},
		{"endpoint": "kusto-query", "status": 503, "probability": 0.03, "seed": 5},
		{"endpoint": "delivery", "delivery": "duplicate", "probability": 0.3, "seed": 6}]`)
	first := c.serve()
	first.export(n / 2)
	first.stop()
	time.Sleep(3 * every) // over at least two scheduled times: they are missed
	second := c.serve()
	second.export(n - n/2)
	metrics := second.rest()
	second.stop()

	list := c.runs()
	var committed int
	for _, p := range []*serving{first, second} {
		p.accounted()
		committed += p.agrees(list)
	}
	if !slices.ContainsFunc(second.lines, func(l logLine) bool { return l.Msg == "missed a schedule" && l.Reason == "down" }) {
		t.Error("the downtime was not told")
	}
	second.counted(list, metrics)
	apart(t, list)
	if n > 2*few {
		second.flat()
	}
	t.Logf("%d exports, %d runs committed, %d of the ledger; %s", len(first.samples)+len(second.samples), committed, len(list), second.spread())
}

// cycles is an emulator, and what serve needs for it.
type cycles struct {
	*testing.T
	bin    string // this test binary, which is the program under this name
	ready  emulator.Ready
	env    []string
	file   string
	client *http.Client
	parts  *parts
}

func newCycles(t *testing.T) *cycles {
	t.Helper()
	c := &cycles{T: t, bin: filepath.Join(t.TempDir(), "tvmexport")}
	self, err := os.Executable()
	c.must(err)
	c.must(os.Symlink(self, c.bin))
	e := startedEmulator(t, 10)
	c.ready = e.Ready
	c.env = append(os.Environ(), "AZURE_TENANT_ID="+c.ready.TenantID, "AZURE_CLIENT_ID="+c.ready.ClientID, "AZURE_CLIENT_SECRET="+c.ready.ClientSecret)
	c.file = writeConfig(t, e, "schedule: '@every "+every.String()+"'\n")
	pem, err := os.ReadFile(c.ready.CA)
	c.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(c.client.CloseIdleConnections)
	run := exec.CommandContext(t.Context(), c.bin, "init", "--config", c.file, "--table", served1, "--table", served2)
	run.Env = c.env
	if said, err := run.CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, said)
	}
	p := process{stdout: io.Discard, stderr: io.Discard, env: emulated(c.ready, os.LookupEnv)}
	p.flags.logFormat, p.flags.logLevel = "text", "error"
	c.parts, err = p.open(t.Context(), demoConfig(c.ready))
	c.must(err)
	t.Cleanup(func() { _ = c.parts.Destination.Close() })
	return c
}

func (c *cycles) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cycles) control(method, path, body string) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.ready.Control+path, strings.NewReader(body))
	c.must(err)
	answer, err := c.client.Do(r)
	c.must(err)
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		c.Fatalf("%s: %s %s %v", path, answer.Status, text, err)
	}
}

// runs returns the runs in the ledger after the faults have ended.
func (c *cycles) runs() []kusto.RunRecord {
	c.Helper()
	c.control(http.MethodDelete, "/faults", "")
	_, list, err := c.parts.Destination.Reports().Runs(c.Context(), 1000)
	c.must(err)
	return list
}

// serving is a serve as a process.
type serving struct {
	*cycles
	cmd     *exec.Cmd
	url     string
	lines   []logLine
	more    chan logLine
	samples []sample // behind each export
}

// logLine is what the log says.
type logLine struct {
	Msg, Table, Run, Reason string
	Since, First, Last      time.Time
	Times, Rows             int
}

type sample struct{ goroutines, heap float64 }

func (c *cycles) serve() *serving {
	c.Helper()
	s := &serving{cycles: c, more: make(chan logLine, 10_000)}
	s.cmd = exec.CommandContext(c.Context(), c.bin, "serve", "--config", c.file, "--listen", "127.0.0.1:0", "--log-format", "json")
	s.cmd.Env = c.env
	out, err := s.cmd.StdoutPipe()
	c.must(err)
	log, err := s.cmd.StderrPipe()
	c.must(err)
	c.must(s.cmd.Start())
	go func() {
		defer close(s.more)
		for l := bufio.NewScanner(log); l.Scan(); {
			var line logLine
			if json.Unmarshal(l.Bytes(), &line) == nil {
				s.more <- line
			}
		}
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	c.must(err)
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "status page: "))
	return s
}

// export waits for n exports, and checks the process after each.
func (s *serving) export(n int) {
	s.Helper()
	timeout := time.After(time.Duration(n)*10*time.Second + 30*time.Second)
	for len(s.samples) < n {
		select {
		case l, ok := <-s.more:
			if !ok {
				s.Fatal("serve has ended by itself")
			}
			if s.lines = append(s.lines, l); l.Msg == "exported" {
				m := s.metrics()
				s.samples = append(s.samples, sample{m["go_goroutines"], m["go_memstats_heap_alloc_bytes"]})
			}
		case <-timeout:
			s.Fatalf("only %d of %d exports", len(s.samples), n)
		}
	}
}

// rest waits until no export is under way, and reads what was counted: a
// schedule far away makes it rest.
func (s *serving) rest() map[string]float64 {
	s.Helper()
	text, err := os.ReadFile(s.file)
	s.must(err)
	s.must(os.WriteFile(s.file, bytes.Replace(text, []byte("@every "+every.String()), []byte("@yearly"), 1), 0o600))
	s.must(s.cmd.Process.Signal(syscall.SIGHUP))
	open := 0
	for _, l := range s.lines {
		open += map[string]int{"exporting": 1, "exported": -1}[l.Msg]
	}
	for reloaded := false; !reloaded || open > 0; {
		l, ok := <-s.more
		if !ok {
			s.Fatal("serve has ended by itself")
		}
		s.lines = append(s.lines, l)
		open += map[string]int{"exporting": 1, "exported": -1}[l.Msg]
		reloaded = reloaded || l.Msg == "the configuration was reloaded"
	}
	return s.metrics()
}

func (s *serving) stop() {
	s.Helper()
	s.must(s.cmd.Process.Signal(syscall.SIGTERM))
	for l := range s.more {
		s.lines = append(s.lines, l)
	}
	_ = s.cmd.Wait() // 143
	if code := s.cmd.ProcessState.ExitCode(); code != 143 {
		s.Errorf("serve exits with %d", code)
	}
}

// metrics are the values by series.
func (s *serving) metrics() map[string]float64 {
	s.Helper()
	r, err := http.Get(s.url + "metrics")
	s.must(err)
	defer r.Body.Close()
	out := map[string]float64{}
	for l := bufio.NewScanner(r.Body); l.Scan(); {
		if name, value, ok := strings.Cut(withoutConstantLabels(l.Text()), " "); ok {
			if f, err := strconv.ParseFloat(value, 64); err == nil {
				out[name] = f
			}
		}
	}
	return out
}

// accounted: exports alternate with their ends, and the scheduled times of each
// table form a chain without a gap, each served or missed.
func (s *serving) accounted() {
	s.Helper()
	last, under := map[string]time.Time{}, false
	next := func(l logLine, from, to time.Time) {
		if before := last[l.Table]; !before.IsZero() && !from.Equal(before.Add(every)) {
			s.Errorf("%s: %q at %s follows %s", l.Table, l.Msg, from, before)
		}
		last[l.Table] = to
	}
	for _, l := range s.lines {
		switch l.Msg {
		case "exporting":
			if under {
				s.Error("two exports at once")
			}
			under = true
		case "exported":
			under = false
		case "missed a schedule":
			if l.Reason == "down" { // its last time is the one that is caught up
				l.Last = l.Last.Add(-every)
				last[l.Table] = l.Last
				continue
			}
			if l.Last.Sub(l.First) != time.Duration(l.Times-1)*every {
				s.Errorf("%s: %d times from %s to %s", l.Table, l.Times, l.First, l.Last)
			}
			next(l, l.First, l.Last)
		case "due":
			if !l.Since.IsZero() {
				next(l, l.Since, l.Since)
			}
		}
	}
}

// agrees: what the log says was committed is in the ledger, with the same rows.
func (s *serving) agrees(list []kusto.RunRecord) (committed int) {
	s.Helper()
	for _, l := range s.lines {
		if l.Msg != "committed" {
			continue
		}
		committed++
		i := slices.IndexFunc(list, func(r kusto.RunRecord) bool { return string(r.Run) == l.Run && r.Table == l.Table })
		if i < 0 || !list[i].Committed || list[i].Rows != int64(l.Rows) {
			s.Errorf("run %s of %s, %d rows: the ledger does not have it so", l.Run, l.Table, l.Rows)
		}
	}
	return committed
}

// counted: the metrics are the ledger's rows of this process.
func (s *serving) counted(list []kusto.RunRecord, metrics map[string]float64) {
	s.Helper()
	me := fmt.Sprintf(", process %d ", s.cmd.Process.Pid)
	rows, commits, failures := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, r := range list {
		switch {
		case !strings.Contains(r.Owner, me):
		case r.Committed:
			rows[r.Table], commits[r.Table] = rows[r.Table]+float64(r.Rows), commits[r.Table]+1
		default:
			failures[r.Table]++
		}
	}
	for _, table := range []string{served1, served2} {
		for series, want := range map[string]float64{
			`tvmexport_rows_committed_total{table="` + table + `"}`:                 rows[table],
			`tvmexport_runs_total{outcome="committed",table="` + table + `"}`:       commits[table],
			`tvmexport_batches_total{state="dropped",table="` + table + `"}`:        metrics[`tvmexport_batches_total{state="queued",table="`+table+`"}`] - metrics[`tvmexport_batches_total{state="committed",table="`+table+`"}`],
			`tvmexport_schedules_missed_total{reason="busy",table="` + table + `"}`: s.told(table, "busy"),
			`tvmexport_schedules_missed_total{reason="down",table="` + table + `"}`: s.told(table, "down"),
		} {
			if metrics[series] != want {
				s.Errorf("%s is %v, want %v", series, metrics[series], want)
			}
		}
		if commits[table] == 0 {
			s.Errorf("%s was never committed, %v failures", table, failures[table])
		}
	}
}

// told is how many times of a table the log says were missed.
func (s *serving) told(table, reason string) (n float64) {
	for _, l := range s.lines {
		if l.Msg == "missed a schedule" && l.Table == table && l.Reason == reason {
			n += float64(l.Times)
		}
	}
	return n
}

// apart: no two committed runs of a table overlap.
func apart(t *testing.T, list []kusto.RunRecord) {
	t.Helper()
	end := map[string]time.Time{}
	for _, r := range slices.Backward(list) {
		if !r.Committed {
			continue
		}
		if r.Began.Before(end[r.Table]) {
			t.Errorf("run %s of %s began at %s, before the one before it ended at %s", r.Run, r.Table, r.Began, end[r.Table])
		}
		end[r.Table] = r.At
	}
}

// least are the least goroutines and the smallest heap of the samples: behind
// a collection, between two exports.
func least(list []sample) sample {
	out := sample{math.Inf(1), math.Inf(1)}
	for _, s := range list {
		out.goroutines, out.heap = min(out.goroutines, s.goroutines), min(out.heap, s.heap)
	}
	return out
}

// flat: the last half needs about as much as the first, or less.
func (s *serving) flat() {
	s.Helper()
	half := len(s.samples) / 2
	before, after := least(s.samples[:half]), least(s.samples[half:])
	if after.goroutines > before.goroutines+3 || after.heap > before.heap*1.15+1e6 {
		s.Errorf("from %+v to %+v", before, after)
	}
}

func (s *serving) spread() string {
	half := len(s.samples) / 2
	a, b := least(s.samples[:half]), least(s.samples[half:])
	return fmt.Sprintf("goroutines %.0f then %.0f, heap %.1f MB then %.1f MB (%s)", a.goroutines, b.goroutines, a.heap/1e6, b.heap/1e6, runtime.Version())
}
