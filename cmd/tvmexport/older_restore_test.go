//go:build !noemulator

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// olderRecord is what test/older/make says of the database that it made.
type olderRecord struct {
	Revision   string
	Devices    int
	CVEs       int
	History    int
	Seed       uint64
	ChangeRate float64
	Started    time.Time
	Ended      time.Time
	Config     string

	Source  map[string]emulator.Digest
	Stored  map[string]emulator.Digest
	Queries map[string]emulator.Digest
	Printed map[string][]map[string]any
}

// olderEntry is a command, or days that pass, at a time of the emulator's clock.
type olderEntry struct {
	At      time.Time
	Advance int
	Command string
}

// olderDatabase is the database of an earlier version in an emulator of today.
type olderDatabase struct {
	*testing.T
	folder string // of its files
	record olderRecord
	tables map[string]string // of the source, with a query for all rows of each that are exported
	server *emulator.Server
	config string

	mu      sync.Mutex
	fixed   time.Time     // the emulator's clock; zero: it follows this machine's, with
	ahead   time.Duration // this difference
	fetches map[string]int
}

// restoreOlder makes the database of a folder again by its commands, each at its time.
func restoreOlder(t *testing.T, folder string) *olderDatabase {
	t.Helper()
	d := &olderDatabase{T: t, folder: folder, tables: map[string]string{}, fetches: map[string]int{}}
	text, err := os.ReadFile(filepath.Join(folder, "record.json"))
	if err == nil {
		err = json.Unmarshal(text, &d.record)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := d.record
	d.fixed = r.Started
	for query := range r.Source {
		table, _, _ := strings.Cut(query, " ")
		d.tables[table] = query
	}
	quota := emulator.NoQuota()
	d.server, err = emulator.Start(emulator.Options{
		Devices: r.Devices, CVEs: r.CVEs, History: r.History, Seed: r.Seed, ChangeRate: r.ChangeRate,
		Quota: &quota, Batching: 50 * time.Millisecond, Dir: t.TempDir(), Now: d.now, Record: d.count,
	}, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.server.Close(); err != nil {
			t.Error(err)
		}
	})
	d.config = writeConfig(t, d.server, r.Config)
	d.restore(t.Context())
	d.mu.Lock()
	d.fixed, d.ahead = time.Time{}, time.Until(r.Ended)
	d.mu.Unlock()
	return d
}

// restore executes the entries of the database's file.
func (d *olderDatabase) restore(ctx context.Context) {
	d.Helper()
	file, err := os.Open(filepath.Join(d.folder, "database.ndjson.gz"))
	if err != nil {
		d.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		d.Fatal(err)
	}
	for lines := json.NewDecoder(z); ; {
		var e olderEntry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			d.Fatal(err)
		}
		d.mu.Lock()
		d.fixed = e.At
		d.mu.Unlock()
		d.server.Tenant().Advance(e.Advance)
		if e.Command == "" {
			continue
		}
		if _, err := d.server.Command(ctx, "", e.Command); err != nil {
			d.Fatalf("%.100s: %v", e.Command, err)
		}
	}
}

// now is the emulator's clock.
func (d *olderDatabase) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.fixed.IsZero() {
		return d.fixed
	}
	return time.Now().Add(d.ahead)
}

// pass lets time pass on the emulator's clock.
func (d *olderDatabase) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ahead += by
}

// count counts the calls that fetch rows, by table.
func (d *olderDatabase) count(endpoint, text string) {
	if endpoint != "graph" || !strings.Contains(text, "union (answer") {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for table := range d.tables {
		if strings.Contains(text, table) {
			d.fetches[table]++
		}
	}
}

// execute runs today's program.
func (d *olderDatabase) execute(args ...string) (code int, out, log *bytes.Buffer) {
	out, log = &bytes.Buffer{}, &bytes.Buffer{}
	p := process{args: append(slices.Clip(args), "--config", d.config), stdout: out, stderr: log, env: emulated(d.server.Ready, os.LookupEnv)}
	return p.run(d.Context()), out, log
}

// exits runs today's program, which must have an exit code, and returns the lines that it prints as JSON.
func (d *olderDatabase) exits(code int, args ...string) []map[string]any {
	d.Helper()
	got, out, log := d.execute(args...)
	if got != code {
		d.Fatalf("%q exits with %d, want %d:\n%s%s", args, got, code, log, out)
	}
	var lines []map[string]any
	for j := json.NewDecoder(out); ; {
		var line map[string]any
		if err := j.Decode(&line); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			d.Fatalf("%q prints something else than JSON: %v", args, err)
		}
		lines = append(lines, line)
	}
}

// landed is the digest of a query over the database.
func (d *olderDatabase) landed(query string) emulator.Digest {
	d.Helper()
	digest, err := d.server.Landed(d.Context(), "", query)
	if err != nil {
		d.Fatal(err)
	}
	return digest
}

// truth is the digest of a query over the source.
func (d *olderDatabase) truth(query string) emulator.Digest {
	d.Helper()
	digest, err := d.server.Truth(d.Context(), query)
	if err != nil {
		d.Fatal(err)
	}
	return digest
}

// rows are the rows of a query over the database, as JSON.
func (d *olderDatabase) rows(query string) map[string]bool {
	d.Helper()
	out := map[string]bool{}
	for row, err := range d.server.LandedRows(d.Context(), "", query) {
		if err != nil {
			d.Fatal(err)
		}
		out[string(row)] = true
	}
	return out
}
