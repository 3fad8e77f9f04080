package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
)

// lastCheckpoint is the content of _last_checkpoint: where readers begin.
type lastCheckpoint struct {
	Version int64 `json:"version"`
	Size    int64 `json:"size"`            // actions
	Bytes   int64 `json:"sizeInBytes"`     // of the file
	Files   int64 `json:"numOfAddFiles"`   // live files
	Parts   int   `json:"parts,omitempty"` // of a checkpoint that others wrote
}

// mostLast limits the bytes of _last_checkpoint.
const mostLast = 1 << 20

// decodeLast reads _last_checkpoint; false if it is not valid.
func decodeLast(text []byte) (lastCheckpoint, bool) {
	var l lastCheckpoint
	if err := json.Unmarshal(text, &l); err != nil || l.Version < 0 {
		return lastCheckpoint{Version: -1}, false
	}
	return l, true
}

// hint is the version in _last_checkpoint; -1 if there is none. The file is a hint:
// without it, the log is listed completely.
func (t *Table) hint(ctx context.Context) int64 {
	text, _, err := store.ReadAll(ctx, t.store, t.log(lastName), mostLast)
	if err != nil {
		return -1
	}
	l, _ := decodeLast(text)
	return l.Version
}

// Checkpoint writes the state of a snapshot as a checkpoint: a reader that begins
// with it needs no earlier commit. A checkpoint of the version that exists stays as it is.
// Any number of writers may call it, for any versions.
func (t *Table) Checkpoint(ctx context.Context, s *Snapshot) error {
	if !s.Exists() {
		return t.fail("write checkpoint", t.log(""), errors.New("the table does not exist"))
	}
	if len(s.Protocol.ReaderFeatures)+len(s.Protocol.WriterFeatures) > 0 {
		return nil // written by other programs only, which write its checkpoints
	}
	now, err := t.store.Now(ctx)
	if err != nil {
		return err
	}
	name := t.checkpointFile(s.Version)
	removed, err := s.Metadata.retention(DeletedFileRetention, deletedFileRetention)
	if err != nil {
		return t.fail("write checkpoint", name, err)
	}
	keep := MillisOf(now.Add(-removed))
	u, err := t.store.Create(ctx, name)
	if err != nil {
		return err
	}
	defer u.Abort()
	var at counter
	n, err := parquet.WriteNested(io.MultiWriter(u, &at), s.rows(keep))
	if err != nil {
		return t.fail("write checkpoint", name, err)
	}
	if _, err := u.Commit(ctx); errors.Is(err, store.ErrExists) {
		return nil
	} else if err != nil {
		return err
	}
	return t.point(ctx, lastCheckpoint{Version: s.Version, Size: n, Bytes: int64(at), Files: int64(s.Len())})
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// point makes _last_checkpoint name a checkpoint, unless it names a later one.
func (t *Table) point(ctx context.Context, l lastCheckpoint) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	for {
		condition := store.IfAbsent()
		now, info, err := store.ReadAll(ctx, t.store, t.log(lastName), mostLast)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			if old, ok := decodeLast(now); ok && old.Version >= l.Version {
				return nil
			}
			condition = store.IfMatch(info.ETag)
		}
		_, err = t.store.Put(ctx, t.log(lastName), text, condition)
		if !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrChanged) {
			return err
		}
	}
}

// rows are the rows of a checkpoint. Removed files are in it if they were removed
// after a time.
func (s *Snapshot) rows(keep Millis) iter.Seq[checkpointRow] {
	return func(yield func(checkpointRow) bool) {
		p := protocolRow{MinReader: int32(s.Protocol.MinReader), MinWriter: int32(s.Protocol.MinWriter)}
		if !yield(checkpointRow{Protocol: &p}) || !yield(checkpointRow{Metadata: metadataRowOf(s.Metadata)}) {
			return
		}
		for _, x := range s.txns {
			if !yield(checkpointRow{Txn: &txnRow{AppID: x.AppID, Version: x.Version, Updated: optional(int64(x.Updated))}}) {
				return
			}
		}
		for _, r := range s.removed {
			if r.Deleted >= keep && !yield(checkpointRow{Remove: removeRowOf(r)}) {
				return
			}
		}
		for _, a := range s.files {
			if !yield(checkpointRow{Add: addRowOf(a)}) {
				return
			}
		}
	}
}

// readCheckpoint reads a checkpoint.
func (t *Table) readCheckpoint(ctx context.Context, c checkpoint) (s *Snapshot, err error) {
	s = empty()
	for _, part := range c.parts {
		r, err := parquet.OpenNested(store.NewReaderAt(ctx, t.store, part), part.Size)
		if err == nil {
			err = s.take(ctx, r)
		}
		if err != nil {
			return nil, t.fail("read checkpoint", part.Name, fmt.Errorf("version %d: %w", c.version, err))
		}
	}
	s.Version = c.version
	if err := s.check(); err != nil {
		return nil, t.fail("read checkpoint", c.parts[0].Name, err)
	}
	s.Time, err = t.commitTime(ctx, c.version)
	if errors.Is(err, store.ErrNotFound) {
		s.Time, err = c.parts[0].Modified, nil
	}
	s.since = c.version
	return s, err
}
