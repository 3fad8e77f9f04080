package delta

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"time"
)

// Commits returns the commits that the log still has, in order, beginning with a
// version. ErrGone says that the log lacks one of them.
func (t *Table) Commits(ctx context.Context, from int64) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) {
		l, err := t.list(ctx, from)
		if err != nil {
			yield(nil, err)
			return
		}
		commits := l.after(from - 1)
		for i, v := range commits {
			if i > 0 && v != commits[i-1]+1 {
				err = t.fail("read", t.commitFile(commits[i-1]+1), fmt.Errorf("%w: the log has no commit %d", ErrGone, commits[i-1]+1))
				yield(nil, err)
				return
			}
			c, err := t.readCommit(ctx, v)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// AsOf reads the newest version that was committed at a time or before it.
// ErrGone says that the log does not reach back to this time. Times of commits
// ascend in a log that this package writes.
func (t *Table) AsOf(ctx context.Context, at time.Time) (*Snapshot, error) {
	l, err := t.list(ctx, -1)
	if err != nil {
		return nil, err
	}
	var failed error
	later := sort.Search(len(l.commits), func(i int) bool {
		if failed != nil {
			return true
		}
		committed, err := t.commitTime(ctx, l.commits[i])
		if err != nil {
			failed = err
			return true
		}
		return committed.After(at)
	})
	if failed != nil {
		return nil, failed
	}
	if later == 0 {
		return nil, t.fail("read", t.log(""), fmt.Errorf("%w: the log has no commit at %s or before it", ErrGone, at.UTC().Format(time.RFC3339)))
	}
	return t.At(ctx, l.commits[later-1])
}
