package lake

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
	"github.com/tvmexport/tvmexport/lake/store"
)

// landing keeps the batches of runs until they are published.
type landing struct{ *folder }

// landedBatch describes a batch that waits. It is written when the batch is durable.
type landedBatch struct {
	Batch    tvmexport.BatchID  `json:"batch"`
	Run      tvmexport.RunID    `json:"run"`
	Previous tvmexport.RunID    `json:"previous"`
	At       time.Time          `json:"at"`
	File     string             `json:"file"`
	Lines    int64              `json:"lines"`    // with rows
	Tail     int64              `json:"tail"`     // rows that the description announces
	Manifest tvmexport.Manifest `json:"manifest"` // zero if the batch has none
}

func landingFolder(table string, run tvmexport.RunID) string {
	return controlName("landing", table, string(run)) + "/"
}

// land implements tvmexport.Sink. A batch that has landed lands once, however often it is delivered.
func (l *landing) land(ctx context.Context, b tvmexport.Batch) error {
	table := b.Run.Table.Name
	if err := checkName("land", table); err != nil {
		return err
	}
	folder := landingFolder(table, b.Run.ID)
	name := folder + string(b.ID) + ".json"
	if _, err := l.store.Stat(ctx, name); err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	now, err := l.now(ctx)
	if err != nil {
		return err
	}
	d := landedBatch{
		Batch: b.ID, Run: b.Run.ID, Previous: b.Run.Previous, At: now, Tail: tvmexport.Missing,
		File: folder + string(b.ID) + "-" + rand.Text() + ".ndjson.gz",
	}
	if _, err := b.Data.Seek(0, io.SeekStart); err != nil {
		return l.fail("land", d.File, table, err)
	}
	u, err := l.store.Create(ctx, d.File)
	if err != nil {
		return err
	}
	defer u.Abort()
	if err := d.copy(u, b.Data); err != nil {
		return l.fail("land", d.File, table, err)
	}
	if _, err := u.Commit(ctx); err != nil {
		return err
	}
	if err := l.write(ctx, name, d, store.IfAbsent()); !errors.Is(err, store.ErrExists) {
		return err
	}
	return l.store.Delete(ctx, d.File) // landed by another call
}

// copy copies a batch, and reads what it describes of itself.
func (d *landedBatch) copy(to io.Writer, from io.Reader) error {
	return eachLine(io.TeeReader(from, to), func(line landedLine) error {
		if line.number > 0 {
			d.Lines++
			return nil
		}
		d.Tail = line.rows
		if len(line.manifest) > 0 {
			// What is no manifest of this program has no header, and is no orphan.
			if json.Unmarshal(line.manifest, &d.Manifest) != nil {
				d.Manifest = tvmexport.Manifest{}
			}
		}
		return nil
	})
}

// landedLine is a line of a batch. Its texts are valid until the next one.
type landedLine struct {
	record    []byte
	number    int64
	partition string
	rows      int64 // of the description
	manifest  []byte
}

// mostLine bounds a line: a record of at most 1 MiB, or a description.
const mostLine = 64 << 20

// eachLine reads the lines of a batch.
func eachLine(packed io.Reader, take func(landedLine) error) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(packed, 64<<10))
	if err != nil {
		return fmt.Errorf("the batch cannot be read: %w", err)
	}
	scan := bufio.NewScanner(z)
	scan.Buffer(make([]byte, 0, 64<<10), mostLine)
	n := 0
	for scan.Scan() {
		n++
		line, err := lineOf(scan.Bytes())
		if err != nil {
			return fmt.Errorf("line %d of the batch: %w", n, err)
		}
		if err := take(line); err != nil {
			return err
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("line %d of the batch: %w", n+1, err)
	}
	return nil
}

func lineOf(text []byte) (l landedLine, err error) {
	m := wire.MembersOf(text)
	if len(text) == 0 || text[0] != '{' {
		return l, errors.New("it is no JSON object")
	}
	l.rows = tvmexport.Missing
	for {
		if _, ok := m.Next(nil); !ok {
			break
		}
		switch string(m.Key) {
		case "r":
			l.record = m.Value
		case "n":
			err = errors.Join(err, json.Unmarshal(m.Value, &l.number))
		case "c":
			err = errors.Join(err, json.Unmarshal(m.Value, &l.rows))
		case "p":
			err = errors.Join(err, json.Unmarshal(m.Value, &l.partition))
		case "s":
			l.manifest = m.Value
		}
	}
	if m.Fault != 0 {
		return l, errors.New("it is no JSON object")
	}
	return l, err
}

// batches reads the descriptions of the batches of a run; of all runs of the table if run is "".
func (l *landing) batches(ctx context.Context, table string, run tvmexport.RunID) ([]landedBatch, error) {
	var out []landedBatch
	prefix := controlName("landing", table) + "/"
	if run != "" {
		prefix = landingFolder(table, run)
	}
	for i, err := range l.store.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		if path.Ext(i.Name) != ".json" {
			continue
		}
		var d landedBatch
		if _, ok, err := l.read(ctx, i.Name, &d); err != nil {
			return nil, err
		} else if ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// landed implements tvmexport.Sink.
func (l *landing) landed(ctx context.Context, run tvmexport.Run) (d tvmexport.Delivery, err error) {
	if err := checkName("confirm", run.Table.Name); err != nil {
		return d, err
	}
	list, err := l.batches(ctx, run.Table.Name, run.ID)
	for _, b := range list {
		d.Batches = append(d.Batches, tvmexport.Landed{Batch: b.Batch, Lines: b.Lines, Rows: b.Lines, Tail: b.Tail})
	}
	return d, err
}

// orphans implements tvmexport.Ledger.
func (l *landing) orphans(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	out := map[string][]tvmexport.OrphanedBatch{}
	for _, t := range tables {
		if err := checkName("read landing tables", t.Name); err != nil {
			return nil, err
		}
		var last, publishing tvmexport.RunID
		h := of[t.Name]
		if h.Last != nil {
			last = h.Last.ID
		}
		if open, err := (&ledger{l.folder}).of(ctx, t); err != nil {
			return nil, err
		} else if open.Publishing != nil {
			publishing = open.Publishing.Run.ID
		}
		list, err := l.batches(ctx, t.Name, "")
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			m := b.Manifest
			if b.At.Before(since) || b.Lines != b.Tail || m.Header.ID == "" || len(m.Partitions) == 0 ||
				m.Header.Previous != last || m.Header.ID == publishing {
				continue
			}
			m.Slice.Table = t
			out[t.Name] = append(out[t.Name], tvmexport.OrphanedBatch{Header: m.Header, Batch: tvmexport.BatchInfo{
				ID: b.Batch, Slice: m.Slice, Rows: b.Tail, Bytes: m.Bytes, Counts: m.Counts, Fingerprints: tvmexport.NewFingerprints(m.Fingerprints...), Unread: m.Unread,
			}})
		}
	}
	return out, nil
}

// clear removes the batches that cannot be published after a commit: those of the run, and of
// runs that do not build on it.
func (l *landing) clear(ctx context.Context, run tvmexport.Run) error {
	list, err := l.batches(ctx, run.Table.Name, "")
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, b := range list {
		if b.Run != run.ID && b.Previous == run.ID {
			keep[string(b.Run)] = true
		}
	}
	prefix := controlName("landing", run.Table.Name) + "/"
	for i, err := range l.store.List(ctx, prefix, "") {
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(i.Name, prefix), "/")
		if tvmexport.RunID(id) > run.ID || keep[id] { // a later run may be about to describe its first batch
			continue
		}
		if err := l.store.Delete(ctx, i.Name); err != nil {
			return err
		}
	}
	return nil
}
