// Command manytenants serves the status pages of 1,000 tenants that export nothing, for
// the tests of the pages in a browser. Tenants change as exports change them; lines on
// standard input make them change on purpose:
//
//	fail NAME     a table of the tenant fails
//	commit NAME   all its tables are committed
//	remove NAME   the tenant leaves
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/server"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

const tenants = 1000

// tables are the tables of each tenant.
var tables = []string{
	"DeviceTvmSoftwareInventory", "DeviceTvmSoftwareVulnerabilities", "DeviceTvmSecureConfigurationAssessment",
	"DeviceTvmHardwareFirmware", "DeviceTvmCertificateInfo", "DeviceTvmBrowserExtensions",
	"DeviceTvmInfoGathering", "DeviceBaselineComplianceAssessment", "DeviceInfo",
}

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	w := &world{boards: map[string]*statuspage.Board{}}
	w.fleet = statuspage.NewFleet(statuspage.FleetSetup{
		Host: "provider-1", Version: "v1.0.0", Began: began.Add(-26 * time.Hour),
		Workers: func() statuspage.Workers { return statuspage.Workers{All: 16, Busy: 16, Waiting: 21} },
	})
	for i := range tenants {
		w.add(i)
	}
	h, err := statuspage.NewFleetHandler(w.fleet)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	web, err := server.Open(ctx, server.Options{Listen: "127.0.0.1:0", Handler: h, Ready: func() error { return nil }}, log)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, log) }()
	fmt.Fprintln(out, web.URL)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case line, open := <-lines:
			if !open {
				cancel()
				return <-served
			}
			w.obey(line)
		case <-tick.C:
			w.export()
		}
	}
}

// world is the fleet with its boards.
type world struct {
	fleet  *statuspage.Fleet
	boards map[string]*statuspage.Board
}

func nameOf(i int) string {
	return fmt.Sprintf("%s-%04d", [...]string{"contoso", "fabrikam", "northwind-traders", "adventure-works", "tailspin.toys"}[i%5], i)
}

// add adds a tenant. One of 200 has each kind of trouble.
func (w *world) add(i int) {
	name, now := nameOf(i), time.Now()
	if i%200 == 7 {
		w.fleet.Unreadable(name, errors.New(`tenants/`+name+`.yaml:4: unknown key "shedule"; did you mean schedule?`))
		return
	}
	b := w.fleet.Board(name, statuspage.Setup{
		Tenant: fmt.Sprintf("%08x-1111-4222-8333-444455556666", i), Cluster: "https://provider.westeurope.kusto.windows.net", Database: name,
	}, statuspage.Reader{
		Runs: func(context.Context) (map[string][]statuspage.Run, error) { return history(i, now), nil },
		Record: func(_ context.Context, table, run string) (statuspage.Record, error) {
			return statuspage.Record{
				Rows:       []statuspage.RecordRow{{State: "committed", At: now, Rows: 120, Owner: "provider-1 4711", Detail: `{"depth":1}`}},
				Partitions: []statuspage.RecordPartition{{Name: "3f", Rows: 12, Fingerprint: "00112233"}},
			}, nil
		},
	})
	w.boards[name] = b
	var list []statuspage.Table
	runs := history(i, now)
	for j, table := range tables {
		t := statuspage.Table{Name: table, Into: table + "Raw", Load: "Snapshot", Active: true, Rows: int64(1000 + i), RowsKnown: true, FullAt: now.Add(-50 * time.Hour), Deltas: 4, Runs: runs[table]}
		switch i % 200 {
		case 23:
			if j == i%9 || j == 3 {
				t.Runs = append([]statuspage.Run{failure(table, now)}, t.Runs...)
			}
		case 41:
			if j == 2 {
				t.Runs = []statuspage.Run{t.Runs[len(t.Runs)-1]}
				t.Runs[0].At = now.Add(-31 * time.Hour)
			}
		case 99:
			t.Runs, t.Rows, t.RowsKnown = nil, 0, false
		case 120:
			t.Active = false
		}
		list = append(list, t)
	}
	switch {
	case i%200 == 60:
		b.Tables(nil, errors.New("read the ledger: dial tcp: lookup "+name+".westeurope.kusto.windows.net: no such host"))
		return
	case i%200 == 130:
		return // its ledger has not been read
	}
	b.Tables(list, nil)
	b.Scheduled(func(string) (string, time.Time, time.Duration) {
		return "0 */6 * * *", now.Add(time.Duration(i%360) * time.Minute), 6 * time.Hour
	})
	b.Quota(func() *statuspage.Quota {
		return &statuspage.Quota{Minute: i % 40, PerMinute: 45, Hour: i % 700, PerHour: 750, At: time.Now()}
	})
	switch i % 200 {
	case 77:
		b.Missed(statuspage.Missed{Table: tables[1], Count: 2, First: now.Add(-5 * time.Minute), Last: now, Reason: "another export was still running"})
	case 88:
		b.Waiting("the quota of the hour is used", now.Add(40*time.Minute))
	case 150:
		b.Queued(now)
	}
}

// history is the runs of a tenant in its ledger.
func history(i int, now time.Time) map[string][]statuspage.Run {
	by := map[string][]statuspage.Run{}
	for j, table := range tables {
		for n := range 30 {
			at := now.Add(-time.Duration(n*360+(i*7+j)%300) * time.Minute)
			by[table] = append(by[table], statuspage.Run{
				Table: table, ID: fmt.Sprintf("%s-%04d", at.UTC().Format("20060102T150405Z"), n), Kind: "delta", Load: "Snapshot", Committed: true, Began: at.Add(-time.Minute), At: at,
				Rows: int64(1000 + i), Growth: int64(n % 5), RowsKnown: true, Changed: int64((n*37 + i) % 90), Bytes: 90_000, Calls: 4, Took: 40 * time.Second, Owner: "provider-1 4711",
			})
		}
	}
	return by
}

func failure(table string, now time.Time) statuspage.Run {
	return statuspage.Run{Table: table, ID: "R-failed", At: now, Failure: statuspage.ProblemOfText(
		"fetch "+table+": Defender refuses the call: 403 Forbidden: the application lacks a role (grant the application permission ThreatHunting.Read.All and consent to it)", now)}
}

func (w *world) obey(line string) {
	verb, name, _ := strings.Cut(line, " ")
	b := w.boards[name]
	switch {
	case verb == "remove":
		w.fleet.Remove(name)
		delete(w.boards, name)
	case b == nil:
	case verb == "fail":
		b.Hooks().Failed(tables[0], "R9", errors.New("no room"))
	case verb == "commit":
		var list []statuspage.Table
		for _, table := range tables {
			list = append(list, statuspage.Table{Name: table, Into: table + "Raw", Load: "Snapshot", Active: true, Runs: []statuspage.Run{{Table: table, ID: "R99", Committed: true, At: time.Now().Add(time.Second)}}})
		}
		b.Tables(list, nil)
	}
}

// export makes a table of a healthy tenant run, and end what ran before.
func (w *world) export() {
	for range 16 {
		i := rand.IntN(tenants)
		if i%200 < 23 || i%200 > 160 {
			continue
		}
		if b := w.boards[nameOf(i-i%200+170)]; b != nil {
			h, run := b.Hooks(), tvmexport.Run{ID: "R9", Table: tvmexport.Table{Name: tables[i%9]}}
			b.Exporting([]string{run.Table.Name})
			h.Started(run)
			h.Planned(run, 1000, 2)
			h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Rows: int64(i), Bytes: 1000})
			if i%2 == 0 {
				b.Exporting(nil)
			}
		}
	}
}
