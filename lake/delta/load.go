package delta

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport/lake/store"
)

// listings is how often a log is listed again in which a commit seems to be
// missing: a listing of several pages is not of one time.
const listings = 3

// Snapshot reads the newest version. A folder without a log has the version -1.
func (t *Table) Snapshot(ctx context.Context) (*Snapshot, error) {
	return t.load(ctx, -1)
}

// At reads a version. ErrGone says that it is not available any more.
func (t *Table) At(ctx context.Context, version int64) (*Snapshot, error) {
	if version < 0 {
		return nil, t.fail("read version", t.log(""), fmt.Errorf("there is no version %d", version))
	}
	return t.load(ctx, version)
}

// Update reads what was committed after a snapshot, and returns the newest version.
func (t *Table) Update(ctx context.Context, s *Snapshot) (*Snapshot, error) {
	if !s.Exists() {
		return t.Snapshot(ctx)
	}
	l, err := t.list(ctx, s.Version)
	if err != nil {
		return nil, err
	}
	commits := l.after(s.Version)
	if gap(s.Version, commits) >= 0 || len(l.commits) == 0 {
		return t.Snapshot(ctx) // the log has lost commits that it needs no more
	}
	return t.replay(ctx, s, commits)
}

// gap is the first version that is missing in the commits after a version; -1 if
// none is.
func gap(after int64, commits []int64) int64 {
	for i, v := range commits {
		if want := after + 1 + int64(i); v != want {
			return want
		}
	}
	return -1
}

func (t *Table) load(ctx context.Context, target int64) (*Snapshot, error) {
	hint := int64(-1)
	if target < 0 {
		hint = t.hint(ctx)
	}
	var last error
	for range listings {
		l, err := t.list(ctx, hint)
		if err != nil {
			return nil, err
		}
		s, err := t.build(ctx, l.upTo(target), target)
		if err == nil {
			return s, nil
		}
		if hint < 0 && !errors.Is(err, ErrGone) && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		hint, last = -1, err // the checkpoint of the hint is not there, or cannot be read
	}
	return nil, last
}

// build reads a listing from its newest checkpoint that can be read.
func (t *Table) build(ctx context.Context, l listing, target int64) (*Snapshot, error) {
	var first error
	for i := len(l.checkpoints) - 1; i >= -1; i-- {
		s, after := empty(), int64(-1)
		if i >= 0 {
			after = l.checkpoints[i].version
		}
		commits := l.after(after)
		err := t.reaches(after, commits, target)
		if err == nil && i >= 0 {
			s, err = t.readCheckpoint(ctx, l.checkpoints[i])
		}
		if err == nil {
			s, err = t.replay(ctx, s, commits)
		}
		if err == nil {
			return s, nil
		}
		if first == nil || errors.Is(first, ErrGone) && !errors.Is(err, ErrGone) {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// reaches says which commit is missing to get from a version to another one.
func (t *Table) reaches(after int64, commits []int64, target int64) error {
	missing, end := gap(after, commits), after+int64(len(commits))
	if missing < 0 && target >= 0 && end < target {
		missing = end + 1
	}
	if missing < 0 {
		return nil
	}
	return t.fail("read", t.commitFile(missing), fmt.Errorf("%w: the log has no commit %d", ErrGone, missing))
}

// replay applies commits to a copy of a snapshot.
func (t *Table) replay(ctx context.Context, s *Snapshot, commits []int64) (*Snapshot, error) {
	if len(commits) == 0 {
		return s, nil
	}
	s = s.clone()
	for _, v := range commits {
		c, err := t.readCommit(ctx, v)
		if err != nil {
			return nil, err
		}
		if err := s.apply(c); err != nil {
			return nil, t.fail("read commit", t.commitFile(v), err)
		}
	}
	if err := s.check(); err != nil {
		return nil, t.fail("read", t.log(""), err)
	}
	return s, nil
}
