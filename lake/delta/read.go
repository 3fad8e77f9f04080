package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tvmexport/tvmexport/lake/store"
)

// mostCommit limits the bytes of a commit that are read.
const mostCommit = 1 << 30

// readCommit reads a commit.
func (t *Table) readCommit(ctx context.Context, version int64) (*Commit, error) {
	name := t.commitFile(version)
	o, err := t.store.Open(ctx, name, store.Range{})
	if err != nil {
		return nil, err
	}
	defer o.Body.Close()
	c, err := decodeCommit(io.LimitReader(o.Body, mostCommit))
	if err != nil {
		return nil, t.fail("read commit", name, fmt.Errorf("version %d: %w", version, err))
	}
	c.Version = version
	if c.Info.Time == 0 {
		c.Info.Time = MillisOf(o.Modified)
	}
	return c, nil
}

// commitTime is the time of a commit. It reads no more of the file than it needs.
func (t *Table) commitTime(ctx context.Context, version int64) (time.Time, error) {
	name := t.commitFile(version)
	o, err := t.store.Open(ctx, name, store.Range{})
	if err != nil {
		return time.Time{}, err
	}
	defer o.Body.Close()
	for d := json.NewDecoder(io.LimitReader(o.Body, mostCommit)); ; {
		var a action
		err := d.Decode(&a)
		if a.Info != nil && a.Info.Time > 0 {
			return a.Info.Time.Time(), nil
		}
		if errors.Is(err, io.EOF) {
			return o.Modified.UTC(), nil
		}
		if err != nil {
			return time.Time{}, t.fail("read commit", name, fmt.Errorf("version %d: %w", version, cut(err)))
		}
	}
}

// decodeCommit reads the actions of a commit. Unknown actions and fields are
// ignored: the protocol says whether a reader may.
func decodeCommit(r io.Reader) (*Commit, error) {
	d := json.NewDecoder(r)
	c := &Commit{}
	n := 0
	for ; ; n++ {
		var a action
		err := d.Decode(&a)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("action %d, byte %d: %w", n+1, d.InputOffset(), cut(err))
		}
		if err := c.take(a); err != nil {
			return nil, fmt.Errorf("action %d: %w", n+1, err)
		}
	}
	if n == 0 {
		return nil, errors.New("the file holds no action: it is not complete")
	}
	if want := c.Info.Actions; want > 0 && want != n-1 {
		return nil, fmt.Errorf("the file holds %d actions of %d: it is not complete", n-1, want)
	}
	return c, nil
}

// cut describes the end of a file in an action.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends within an action: it is not complete")
	}
	return err
}

// take adds an action.
func (c *Commit) take(a action) (err error) {
	switch {
	case a.Info != nil:
		c.Info = *a.Info
	case a.Protocol != nil:
		c.Protocol = a.Protocol
	case a.Metadata != nil:
		c.Metadata = a.Metadata
	case a.Txn != nil:
		c.Txns = append(c.Txns, *a.Txn)
	case a.Add != nil:
		if a.Add.Path, err = unescape(a.Add.Path); err != nil {
			return err
		}
		c.Adds = append(c.Adds, *a.Add)
	case a.Remove != nil:
		if a.Remove.Path, err = unescape(a.Remove.Path); err != nil {
			return err
		}
		c.Removes = append(c.Removes, *a.Remove)
	}
	return nil
}
