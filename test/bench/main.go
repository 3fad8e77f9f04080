// Command bench measures the exporter as a process: it starts the emulator in
// one process and runs tvmexport in another, and reports what the second cost, and
// what the run cost the first.
//
//	go run ./test/bench -bin bin/tvmexport -devices 2000,20000 -tables DeviceTvmSoftwareVulnerabilities
//
// With -changes it makes two more runs of each table: after a share of the devices has
// changed, and when nothing has changed.
//
// Quotas are off. CPU seconds and peak resident memory are what the kernel says
// of the child (getrusage) and of the emulator (/proc, from the start of the run to its
// end); rows and bytes of source JSON are what tvmexport reports, and rows at the
// destination are counted through the control API.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/exports"
)

// options are the flags.
type options struct {
	bin     string
	maxRSS  int64 // MB
	growth  float64
	verify  bool
	profile string
	limits  limits
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/tvmexport", "the program")
	devices := flag.String("devices", "2000", "sizes of the tenant, separated by commas")
	tables := flag.String("tables", "DeviceTvmSoftwareVulnerabilities", "tables, separated by commas")
	flag.Int64Var(&o.maxRSS, "max-rss", 0, "fail if a run's peak resident memory is above so many MB; 0 is no limit")
	flag.Float64Var(&o.growth, "growth", 0, "fail if the last run's peak is above so many times the first one's; 0 is no limit")
	flag.BoolVar(&o.verify, "verify", true, "compare hashes of source and destination")
	flag.Float64Var(&o.limits.changes, "changes", 0, "share of the devices that change before a second run; a third one finds nothing changed. 0 makes one run")
	flag.Float64Var(&o.limits.landed, "max-landed", 0, "fail if the second run lands more than this share of the rows; 0 is no limit")
	flag.Float64Var(&o.limits.times, "max-times", 0, "fail if the CPU time of the first run is a larger multiple of that of the third; 0 is no limit")
	flag.StringVar(&o.profile, "cpuprofile", "", "keep a CPU profile of the last run in this file")
	flag.Parse()
	if err := run(o, strings.Split(*devices, ","), strings.Split(*tables, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// sample is one measured run: of one table, with an emulator of its own.
type sample struct {
	table       string
	devices     string
	run         string
	rows, bytes int64 // that were landed
	held        int64 // rows of the table
	calls       int
	wall, cpu   time.Duration
	rss         int64 // bytes
	emulator    usage
}

// usage is what the emulator has used.
type usage struct {
	cpu time.Duration
	rss int64 // bytes, the most so far
}

func run(o options, devices, tables []string) error {
	var err error
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return err
	}
	var samples []sample
	for _, n := range devices {
		for _, t := range tables {
			list, err := measure(o, n, t)
			if err != nil {
				return fmt.Errorf("%s, %s devices: %w", t, n, err)
			}
			samples = append(samples, list...)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "table\tdevices\trun\trows of the table\trows\tsource JSON MB\tcalls\twall s\tCPU s\trows/s\trows of the table/CPU-s\tMB/s\tMB/CPU-s\tpeak MB\temulator CPU s\trows/emulator CPU-s\temulator peak MB\t")
	rows, served := int64(0), time.Duration(0)
	for _, s := range samples {
		rows, served = rows+s.rows, served+s.emulator.cpu
		mb := float64(s.bytes) / 1e6
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%.1f\t%d\t%.2f\t%.2f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.2f\t%.0f\t%.1f\t\n", s.table, s.devices, s.run, s.held, s.rows, mb, s.calls, s.wall.Seconds(), s.cpu.Seconds(),
			float64(s.rows)/s.wall.Seconds(), float64(s.held)/s.cpu.Seconds(), mb/s.wall.Seconds(), mb/s.cpu.Seconds(), float64(s.rss)/1e6,
			s.emulator.cpu.Seconds(), float64(s.rows)/s.emulator.cpu.Seconds(), float64(s.emulator.rss)/1e6)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("all: %d rows, %.2f CPU s of the emulator, %.0f rows per CPU-second of it\n", rows, served.Seconds(), float64(rows)/served.Seconds())
	first, last := samples[0], samples[len(samples)-1]
	for _, s := range samples {
		if o.maxRSS > 0 && s.rss > o.maxRSS*1e6 {
			return fmt.Errorf("%s devices: peak memory of %.1f MB is above %d MB", s.devices, float64(s.rss)/1e6, o.maxRSS)
		}
	}
	if o.growth > 0 && float64(last.rss) > o.growth*float64(first.rss) {
		return fmt.Errorf("peak memory grew by %.2f, more than %.2f", float64(last.rss)/float64(first.rss), o.growth)
	}
	return o.limits.check(samples)
}

// emulator is what its ready line says.
type emulator struct {
	Graph, MDE, Authority, TenantID, ClientID, ClientSecret string
	Kusto, Ingest, Database, CA, Control                    string
}

// measure makes the runs of a table with an emulator of its own.
func measure(o options, devices, table string) ([]sample, error) {
	dir, err := os.MkdirTemp("", "tvmexport-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	e, process, err := start(o.bin, devices, dir)
	if err != nil {
		return nil, err
	}
	defer stop(process)
	text := fmt.Sprintf("defender: {endpoint: %q, share: 1, calls_per_minute: 1000000, calls_per_hour: 1000000}\nassessment: {endpoint: %q, share: 1, spool: {dir: %q}}\nkusto: {cluster: %q, ingest: %q, database: %q}\nca_file: %q\n",
		e.Graph, e.MDE, filepath.Join(dir, "spool"), e.Kusto, e.Ingest, e.Database, e.CA)
	if err := os.WriteFile(filepath.Join(dir, "tvmexport.yaml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	if _, _, err := command(o.bin, dir, e, "", "init", "--table", table); err != nil {
		return nil, err
	}
	var out []sample
	for _, run := range o.limits.runs() {
		if run == changed {
			if err := change(e, o.limits.changes); err != nil {
				return nil, err
			}
		}
		s, err := once(o, e, process, table)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run, err)
		}
		s.table, s.devices, s.run = table, devices, run
		out = append(out, s)
	}
	return out, nil
}

// once makes one run.
func once(o options, e emulator, process *exec.Cmd, table string) (s sample, err error) {
	before, err := used(process)
	if err != nil {
		return s, err
	}
	began := time.Now()
	out, state, err := command(o.bin, filepath.Dir(e.CA), e, o.profile, "run", "--json")
	if err != nil {
		return s, err
	}
	s.wall, s.cpu = time.Since(began), state.UserTime()+state.SystemTime()
	if s.emulator, err = used(process); err != nil {
		return s, err
	}
	s.emulator.cpu -= before.cpu
	child, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return s, errors.New("this system does not tell what a process has used")
	}
	s.rss = child.Maxrss * 1024 // Linux counts in kilobytes
	for line := bufio.NewScanner(bytes.NewReader(out)); line.Scan(); {
		var l struct {
			Rows, Bytes, TableRows int64
			Calls                  int
		}
		if err := json.Unmarshal(line.Bytes(), &l); err != nil {
			return s, fmt.Errorf("%q: %w", line.Text(), err)
		}
		s.rows, s.bytes, s.calls, s.held = s.rows+l.Rows, s.bytes+l.Bytes, s.calls+l.Calls, s.held+l.TableRows
	}
	if o.verify {
		return s, compare(e, table)
	}
	return s, nil
}

// start runs the emulator until stop.
func start(bin, devices, dir string) (e emulator, c *exec.Cmd, err error) {
	if _, err := strconv.Atoi(devices); err != nil {
		return e, nil, err
	}
	c = exec.Command(bin, "emulator", "--devices", devices, "--quota", "off", "--dir", dir, "--batching", "1s")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return e, nil, err
	}
	if err := c.Start(); err != nil {
		return e, nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &e)
	}
	if err != nil {
		stop(c)
		return e, nil, fmt.Errorf("the emulator's ready line: %w", err)
	}
	return e, c, nil
}

func stop(c *exec.Cmd) {
	_ = c.Process.Signal(syscall.SIGTERM)
	_ = c.Wait() // ends by the signal
}

// used is what Linux says that a process has used.
func used(c *exec.Cmd) (usage, error) {
	const ticks = 100 // a second, of the times in stat
	dir := fmt.Sprintf("/proc/%d/", c.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return usage{}, err
	}
	// Fields 14 and 15 are the times in user and kernel mode; the second field ends with the last parenthesis.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var u usage
	for _, at := range []int{14 - 3, 15 - 3} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return usage{}, fmt.Errorf("%sstat: %w", dir, err)
		}
		u.cpu += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return usage{}, err
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(peak, "%d kB", &u.rss); err != nil {
		return usage{}, fmt.Errorf("%sstatus, VmHWM: %w", dir, err)
	}
	u.rss *= 1024
	return u, nil
}

func command(bin, dir string, e emulator, profile string, args ...string) ([]byte, *os.ProcessState, error) {
	c := exec.Command(bin, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "AZURE_TENANT_ID="+e.TenantID, "AZURE_CLIENT_ID="+e.ClientID, "AZURE_CLIENT_SECRET="+e.ClientSecret, "AZURE_AUTHORITY_HOST="+e.Authority)
	if profile != "" {
		path, err := filepath.Abs(profile)
		if err != nil {
			return nil, nil, err
		}
		c.Env = append(c.Env, "TVMEXPORT_CPUPROFILE="+path)
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return nil, nil, fmt.Errorf("tvmexport %s: %w\n%s%s", args[0], err, errs.Bytes(), out.Bytes())
	}
	return out.Bytes(), c.ProcessState, nil
}

// compare asks the emulator whether source and destination hold the same rows.
func compare(e emulator, table string) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	digest := func(path, query string) (string, error) {
		r, err := client.Get(e.Control + path + "?q=" + url.QueryEscape(query))
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		var d struct {
			Rows   int64
			SHA256 string
		}
		err = json.NewDecoder(r.Body).Decode(&d)
		return fmt.Sprintf("%d rows %s", d.Rows, d.SHA256), err
	}
	truth, readers := table, table
	if t, ok := exports.Lookup(table); ok {
		truth, readers = t.Truth, t.Readers
	}
	source, err := digest("/truth", truth)
	if err != nil {
		return err
	}
	landed, err := digest("/landed", readers)
	if err != nil {
		return err
	}
	if source != landed {
		return fmt.Errorf("the source has %s, the destination %s", source, landed)
	}
	return nil
}

// client reaches the control API.
func (e emulator) client() (*http.Client, error) {
	pem, err := os.ReadFile(e.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}
