package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// outcome is a unit that was read.
type outcome struct {
	answer  tvmexport.Answer
	calls   int
	expired bool // it must be listed again first
	*writer
}

// readUnit reads a unit until it proves to be complete. A unit without rows that does not
// say so itself is read twice: some services answer too early.
func (s *Source) readUnit(ctx context.Context, st *state, u tvmexport.Unit) (out outcome, err error) {
	empty := false
	for attempt := 1; ; attempt++ {
		if !u.Expires.IsZero() && !time.Now().Before(u.Expires) {
			out.expired = true
			return out, nil
		}
		out.answer, out.writer, err = s.readOnce(ctx, st, u)
		out.calls += out.answer.Calls
		switch {
		case err == nil && out.rows == 0 && !empty && u.Rows != 0 && !out.answer.Empty:
			empty = true
			continue
		case err == nil:
			return out, nil
		case errors.Is(err, tvmexport.ErrUnitExpired):
			out.expired = true
			return out, nil
		case tvmexport.ActionOf(err) != tvmexport.Retry || attempt >= s.attempts:
			return out, err
		}
		if err := s.pause(ctx, time.Second<<(attempt-1)); err != nil {
			return out, err
		}
	}
}

// readOnce reads a unit. The rows of one that is not complete are not used; their place
// on disk is lost until the table is done.
func (s *Source) readOnce(ctx context.Context, st *state, u tvmexport.Unit) (tvmexport.Answer, *writer, error) {
	w := &writer{
		set: st, packer: s.packer, block: blocks.Get().(*block),
		hasher: fingerprint.NewHasher(st.prints, watermarkOf(st)), fits: len(st.table.Columns) > 0,
	}
	defer func() {
		w.block.reset()
		blocks.Put(w.block)
		w.block = nil
	}()
	a, err := s.source.FetchUnit(ctx, st.table, u, w)
	if err = cmp.Or(w.err, err); err == nil {
		err = proves(st.table.Name, u, a, w.rows)
	}
	if err == nil {
		err = w.flush()
	}
	return a, w, err
}

func watermarkOf(st *state) string {
	if st.timed {
		return st.table.Watermark
	}
	return ""
}

// proves says why a unit is not known to be complete; nil if it is.
func proves(table string, u tvmexport.Unit, a tvmexport.Answer, written int64) error {
	fail := &tvmexport.Error{Op: "fetch", Table: table, Action: tvmexport.Retry, Cause: tvmexport.Integrity, Hint: "if this repeats, check for a proxy that cuts downloads"}
	switch {
	case a.Counted == tvmexport.Missing:
		fail.Err = fmt.Errorf("the unit %.80q does not prove that its %d rows are all (request %s)", u.ID, a.Rows, a.Request)
	case !a.Complete() || a.Rows != written:
		fail.Err = fmt.Errorf("the unit %.80q has %d rows, but its own count is %d (request %s)", u.ID, written, a.Counted, a.Request)
	case u.Rows != tvmexport.Missing && u.Rows != a.Rows:
		fail.Err = fmt.Errorf("the unit %.80q has %d rows, but its listing announces %d", u.ID, a.Rows, u.Rows)
		fail.Hint = "if this repeats, the service changes files that it has listed"
	default:
		return nil
	}
	return fail
}

// writer takes the rows of a unit. Its chunks and counts are its own until the unit has
// proven to be complete.
type writer struct {
	set    *state
	packer packer
	hasher *fingerprint.Hasher
	block  *block
	fits   bool // values are compared with the types of their columns
	err    error

	rows   int64
	newest time.Time
	chunks [buckets][]chunk
	index  index
}

// WriteRow implements tvmexport.RowWriter.
func (w *writer) WriteRow(key, row []byte) error {
	if w.err == nil {
		w.err = w.write(key, row)
	}
	return w.err
}

func (w *writer) write(key, row []byte) error {
	d, err := w.hasher.Row(row)
	if err != nil {
		return &tvmexport.Error{
			Op: "fetch", Table: w.set.table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
			Err: fmt.Errorf("row %d of a unit: %w", w.rows+1, err), Hint: "nothing was published; this is an error of the source",
		}
	}
	r := record{key: key, row: row, moment: noMoment, odd: w.fits && len(w.hasher.Odd()) > 0}
	copy(r.digest[:], d[:])
	if w.set.timed {
		if at, ok := fingerprint.JSONMoment(w.hasher.Watched()); ok && !at.IsZero() {
			r.moment = ticksOf(at)
			if at.After(w.newest) {
				w.newest = at
			}
		}
	}
	bucket := bucketOf(key)
	if w.set.byRow {
		bucket = int(d[0])
	}
	w.index.count(key, d.Fingerprint())
	w.rows++
	w.block.add(bucket, &r, w.set.timed)
	if len(w.block.data) >= blockBytes {
		return w.flush()
	}
	return nil
}

// flush writes the rows of the block to disk, a chunk for each bucket.
func (w *writer) flush() error {
	b := w.block
	list := b.pack(w.packer)
	if len(list) == 0 {
		return nil
	}
	at, err := w.set.file.append(b.packed)
	if err != nil {
		return err
	}
	for _, c := range list {
		c.at += at
		w.chunks[c.bucket] = append(w.chunks[c.bucket], c.chunk)
	}
	b.reset()
	return nil
}

// blockBytes is how many bytes of rows a unit gathers before they are compressed: the
// rows of one bucket among them are a chunk. Rows of one device come together. Where they
// do not, small blocks would have many small chunks.
const blockBytes = 3 << 19

// mostOver is how much the last row of a block may exceed it without more memory.
const mostOver = 64 << 10

var blocks = sync.Pool{New: func() any { return &block{data: make([]byte, 0, blockBytes+mostOver)} }}

// block gathers records of all buckets.
type block struct {
	data    []byte
	records []placed
	chunk   []byte // records of one bucket
	packed  []byte // chunks, compressed
}

// placed is where a record is in the data of a block.
type placed struct {
	bucket   uint16
	from, to int
}

type packedChunk struct {
	chunk
	bucket int
}

func (b *block) reset() { b.data, b.records, b.packed = b.data[:0], b.records[:0], b.packed[:0] }

func (b *block) add(bucket int, r *record, timed bool) {
	from := len(b.data)
	b.data = r.append(b.data, timed)
	b.records = append(b.records, placed{uint16(bucket), from, len(b.data)})
}

// pack compresses the records, bucket by bucket.
func (b *block) pack(p packer) []packedChunk {
	if len(b.records) == 0 {
		return nil
	}
	var of [buckets][]int32
	for i, r := range b.records {
		of[r.bucket] = append(of[r.bucket], int32(i))
	}
	var out []packedChunk
	b.packed = b.packed[:0]
	for bucket, list := range of {
		if len(list) == 0 {
			continue
		}
		b.chunk = b.chunk[:0]
		for _, i := range list {
			b.chunk = append(b.chunk, b.data[b.records[i].from:b.records[i].to]...)
		}
		at := len(b.packed)
		b.packed = p.encoder.EncodeAll(b.chunk, b.packed)
		out = append(out, packedChunk{chunk{int64(at), uint32(len(b.packed) - at), uint32(len(b.chunk)), uint32(len(list))}, bucket})
	}
	return out
}
