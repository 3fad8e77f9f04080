package delta

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/lake/store"
)

// Transaction is what a commit changes.
type Transaction struct {
	// Txn identifies the transaction: a second one of the same application with
	// the same version or a lower one changes nothing. Without AppID, a repeated
	// transaction is committed twice.
	Txn Txn

	Metadata  *Metadata // nil: unchanged. The first commit of a table has one; ID and Format are filled in
	Add       []Add
	Remove    []string // paths of live files
	Rearrange bool     // the files hold the same rows as before: readers of changes skip the commit

	Operation  string // such as WRITE, which is the default
	Parameters map[string]json.RawMessage
	Note       json.RawMessage // kept in the commit
}

// Committed is the result of a Commit.
type Committed struct {
	Snapshot *Snapshot // that includes the transaction, and possibly later ones
	Repeated bool      // the transaction had been committed before; nothing was written
	Version  int64     // of the commit; -1 if Repeated, where it is not known
}

// Commit adds a transaction to the log. build makes it for the newest version, which
// is base or a later one, and may be called several times: whenever another
// writer has committed first. An error of build ends the Commit, such as one that
// says that the transaction does not fit any more. base may be nil.
//
// After an error of the store, the transaction may have been committed. A repetition finds
// that by the Txn.
func (t *Table) Commit(ctx context.Context, base *Snapshot, build func(context.Context, *Snapshot) (Transaction, error)) (Committed, error) {
	if base == nil {
		var err error
		if base, err = t.Snapshot(ctx); err != nil {
			return Committed{}, err
		}
	}
	for {
		x, err := build(ctx, base)
		if err != nil {
			return Committed{}, err
		}
		if v, ok := base.Txn(x.Txn.AppID); ok && x.Txn.AppID != "" && v >= x.Txn.Version {
			return Committed{Snapshot: base, Repeated: true, Version: -1}, nil
		}
		c, err := t.prepare(ctx, base, x)
		if err != nil {
			return Committed{}, err
		}
		text, err := encodeCommit(c)
		if err != nil {
			return Committed{}, t.fail("write commit", t.commitFile(c.Version), err)
		}
		_, err = t.store.Put(ctx, t.commitFile(c.Version), text, store.IfAbsent())
		if err == nil {
			return t.committed(ctx, base, c)
		}
		if !errors.Is(err, store.ErrExists) {
			return Committed{}, err
		}
		if base, err = t.Update(ctx, base); err != nil {
			return Committed{}, err
		}
		if base.Version < c.Version {
			return Committed{}, t.fail("write commit", t.commitFile(c.Version), errors.New("the file exists, but the log does not show it"))
		}
	}
}

// committed returns the snapshot after a commit, and writes a checkpoint if it is
// time for one. A checkpoint that fails does not fail the commit: a later commit
// writes one.
func (t *Table) committed(ctx context.Context, base *Snapshot, c *Commit) (Committed, error) {
	s := base.clone()
	if err := s.apply(c); err != nil {
		return Committed{}, err
	}
	if every := t.opts.CheckpointEvery; every > 0 && s.Version-max(s.since, 0) >= every {
		if err := t.Checkpoint(ctx, s); err == nil {
			s.since = s.Version
		}
	}
	return Committed{Snapshot: s, Version: c.Version}, nil
}

// prepare makes the commit of a transaction.
func (t *Table) prepare(ctx context.Context, base *Snapshot, x Transaction) (*Commit, error) {
	now, err := t.store.Now(ctx)
	if err != nil {
		return nil, err
	}
	at := MillisOf(now)
	if base.Exists() {
		at = max(at, MillisOf(base.Time)+1) // times of commits ascend, also where clocks do not
	}
	c := &Commit{Version: base.Version + 1}
	reject := func(format string, args ...any) (*Commit, error) {
		return nil, t.fail("write commit", t.commitFile(c.Version), fmt.Errorf(format, args...))
	}
	if !base.Exists() {
		p := written
		c.Protocol = &p
		if x.Metadata == nil {
			return reject("%w: the table does not exist, and the transaction does not create it", ErrConflict)
		}
	} else if err := base.Protocol.writeErr(base.Metadata); err != nil {
		return reject("%w", err)
	}
	if m := x.Metadata; m != nil {
		c.Metadata = m.complete(base.Metadata, at)
		if _, err := m.parse(); err != nil {
			return reject("%w", err)
		}
	}
	if x.Txn.AppID != "" {
		x.Txn.Updated = at
		c.Txns = []Txn{x.Txn}
	}
	appendOnly := base.Metadata != nil && base.Metadata.Configuration["delta.appendOnly"] == "true"
	seen := map[string]bool{}
	for _, p := range x.Remove {
		a, ok := base.files[p]
		if !ok || seen[p] {
			return reject("%w: the file %s is not in version %d, or is removed twice", ErrConflict, p, base.Version)
		}
		seen[p] = true
		if appendOnly && !x.Rearrange {
			return reject("the table has the property delta.appendOnly: no file can be removed")
		}
		c.Removes = append(c.Removes, Remove{
			Path: p, Deleted: at, DataChange: !x.Rearrange, Extended: true,
			PartitionValues: a.PartitionValues, Size: a.Size, Tags: a.Tags,
		})
	}
	for _, a := range x.Add {
		if err := checkPath(a.Path); err != nil {
			return reject("%w", err)
		}
		if _, ok := base.files[a.Path]; ok || seen[a.Path] {
			return reject("%w: the file %s is in the table twice", ErrConflict, a.Path)
		}
		seen[a.Path] = true
		if a.PartitionValues == nil {
			a.PartitionValues = map[string]string{}
		}
		if a.Modified == 0 {
			a.Modified = at
		}
		a.DataChange = !x.Rearrange
		c.Adds = append(c.Adds, a)
	}
	c.Info = Info{Time: at, Operation: x.Operation, Parameters: x.Parameters, Engine: t.opts.Engine, ID: rand.Text(), Note: x.Note}
	if c.Info.Operation == "" {
		c.Info.Operation = "WRITE"
	}
	return c, nil
}

// complete fills in what each metaData action has.
func (m *Metadata) complete(before *Metadata, at Millis) *Metadata {
	c := *m
	if before != nil && c.ID == "" {
		c.ID, c.Created = before.ID, before.Created
	}
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	if c.Created == 0 {
		c.Created = at
	}
	if c.Format.Provider == "" {
		c.Format.Provider = "parquet"
	}
	if c.Format.Options == nil {
		c.Format.Options = map[string]string{}
	}
	if c.PartitionColumns == nil {
		c.PartitionColumns = []string{}
	}
	if c.Configuration == nil {
		c.Configuration = map[string]string{}
	}
	return &c
}

// encodeCommit is the content of a commit file: one action per line, commitInfo first.
func encodeCommit(c *Commit) ([]byte, error) {
	var lines []action
	if c.Protocol != nil {
		lines = append(lines, action{Protocol: c.Protocol})
	}
	if c.Metadata != nil {
		lines = append(lines, action{Metadata: c.Metadata})
	}
	for i := range c.Txns {
		lines = append(lines, action{Txn: &c.Txns[i]})
	}
	for _, r := range c.Removes {
		r.Path = escape(r.Path)
		lines = append(lines, action{Remove: &r})
	}
	for _, a := range c.Adds {
		a.Path = escape(a.Path)
		lines = append(lines, action{Add: &a})
	}
	c.Info.Actions = len(lines)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, line := range append([]action{{Info: &c.Info}}, lines...) {
		if err := e.Encode(line); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
