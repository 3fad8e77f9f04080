package delta

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Snapshot is the state of a table after a commit. It is not changed after it is made.
type Snapshot struct {
	Version  int64 // -1: the table does not exist
	Time     time.Time
	Protocol Protocol
	Metadata *Metadata // nil: the table does not exist

	txns    map[string]Txn
	files   map[string]Add
	removed map[string]Remove // within the retention
	since   int64             // version of the newest checkpoint that is known; -1: none is
}

func empty() *Snapshot {
	return &Snapshot{Version: -1, since: -1, txns: map[string]Txn{}, files: map[string]Add{}, removed: map[string]Remove{}}
}

func (s *Snapshot) clone() *Snapshot {
	c := *s
	c.txns, c.files, c.removed = maps.Clone(s.txns), maps.Clone(s.files), maps.Clone(s.removed)
	return &c
}

// Exists says whether the table exists.
func (s *Snapshot) Exists() bool { return s.Version >= 0 }

// Txn is the newest version that an application has committed.
func (s *Snapshot) Txn(appID string) (version int64, ok bool) {
	t, ok := s.txns[appID]
	return t.Version, ok
}

// Files are the live files, in the order of their paths.
func (s *Snapshot) Files() iter.Seq[Add] {
	return func(yield func(Add) bool) {
		for _, p := range slices.Sorted(maps.Keys(s.files)) {
			if !yield(s.files[p]) {
				return
			}
		}
	}
}

// File is a live file.
func (s *Snapshot) File(path string) (Add, bool) {
	a, ok := s.files[path]
	return a, ok
}

// Len is the number of live files.
func (s *Snapshot) Len() int { return len(s.files) }

// Columns are the columns of the table.
func (s *Snapshot) Columns() ([]tvmexport.Column, error) {
	if s.Metadata == nil {
		return nil, nil
	}
	return s.Metadata.Columns()
}

// apply changes the snapshot to the state after a commit.
func (s *Snapshot) apply(c *Commit) error {
	if c.Protocol != nil {
		if err := c.Protocol.readErr(); err != nil {
			return err
		}
		s.Protocol = *c.Protocol
	}
	if c.Metadata != nil {
		s.Metadata = c.Metadata
	}
	for _, t := range c.Txns {
		s.txns[t.AppID] = t
	}
	for _, r := range c.Removes {
		delete(s.files, r.Path)
		s.removed[r.Path] = r
	}
	for _, a := range c.Adds {
		s.files[a.Path] = a
		delete(s.removed, a.Path)
	}
	s.Version, s.Time = c.Version, c.Info.Time.Time()
	return nil
}

// check says what a complete snapshot must have.
func (s *Snapshot) check() error {
	if s.Version >= 0 && (s.Metadata == nil || s.Protocol.MinReader == 0) {
		return fmt.Errorf("the log up to version %d has no metaData or no protocol", s.Version)
	}
	return nil
}
