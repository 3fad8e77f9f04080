//go:build !windows

package spool_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/spool"
)

// recorded answers as the service did at first: a benchmark then measures the exporter
// alone.
type recorded struct {
	to      http.RoundTripper
	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	header http.Header
	body   []byte
}

func (r *recorded) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	a, known := r.answers[q.URL.Path]
	r.mu.Unlock()
	if !known {
		first, err := r.to.RoundTrip(q)
		if err != nil {
			return nil, err
		}
		defer first.Body.Close()
		body, err := io.ReadAll(first.Body)
		if err != nil {
			return nil, err
		}
		a = answer{first.Header, body}
		r.mu.Lock()
		r.answers[q.URL.Path] = a
		r.mu.Unlock()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: a.header.Clone(), ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)), Request: q,
	}, nil
}

// BenchmarkPass is one pass over the files of a table: they are decompressed, decoded,
// hashed and spooled, and counted by partition.
func BenchmarkPass(b *testing.B) {
	e := emulatortest.New(b, emulatortest.Devices(300), emulatortest.CVEs(5000), emulatortest.NoQuota())
	client, err := assessment.New(assessment.Options{
		Endpoint: e.Endpoints().MDE, Credential: signInTo(e), HTTPClient: &http.Client{Transport: &recorded{to: e.Client().Transport, answers: map[string]answer{}}}, Share: 1,
		Quotas: assessment.Quotas{Files: defender.Quota{PerMinute: 100_000, PerHour: 1_000_000}},
	})
	if err != nil {
		b.Fatal(err)
	}
	source, err := spool.New(client, spool.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	table, _ := catalog.Table("TvmSoftwareVulnerabilities")
	pass := func() (rows int64) {
		c, err := source.Count(b.Context(), tvmexport.CountQuery{Table: table, Depth: 4, Fingerprints: true})
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range c.Parts {
			rows += p.Rows
		}
		source.Release(table.Name)
		return rows
	}
	pass() // records
	rows, before := int64(0), used(b)
	b.ReportAllocs()
	for b.Loop() {
		rows += pass()
	}
	b.ReportMetric(float64(rows)/(used(b)-before).Seconds(), "rows/CPU-s")
}

// used is the CPU time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
