package delta

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/tvmexport/tvmexport/lake/store"
)

// listing is what a log holds.
type listing struct {
	checkpoints []checkpoint // complete ones, ascending
	commits     []int64      // ascending
}

// checkpoint is a complete checkpoint.
type checkpoint struct {
	version int64
	parts   []store.Info
}

// list lists the log, beginning with the files of a version; -1 is all of it.
func (t *Table) list(ctx context.Context, from int64) (l listing, err error) {
	start, prefix := "", t.log("")+"/"
	if from >= 0 {
		start = t.log(fmt.Sprintf("%020d", from))
	}
	parts := map[int64][]store.Info{}
	for i, err := range t.store.List(ctx, prefix, start) {
		if err != nil {
			return l, err
		}
		base := strings.TrimPrefix(i.Name, prefix)
		if m := commitName.FindStringSubmatch(base); m != nil {
			if v, ok := versionIn(m[1]); ok {
				l.commits = append(l.commits, v)
			}
			continue
		}
		m := checkpointName.FindStringSubmatch(base)
		if m == nil {
			continue
		}
		v, ok := versionIn(m[1])
		if !ok {
			continue
		}
		if m[3] == "" {
			l.checkpoints = append(l.checkpoints, checkpoint{v, []store.Info{i}})
			continue
		}
		parts[v] = append(parts[v], i)
		if of, ok := versionIn(m[3]); ok && int64(len(parts[v])) == of {
			l.checkpoints = append(l.checkpoints, checkpoint{v, parts[v]})
		}
	}
	// Stores with folders can list names in another order.
	slices.Sort(l.commits)
	slices.SortFunc(l.checkpoints, func(a, b checkpoint) int { return cmp.Compare(a.version, b.version) })
	return l, nil
}

// upTo is the part of a listing up to a version; all of it if that is less than 0.
func (l listing) upTo(version int64) listing {
	if version < 0 {
		return l
	}
	l.commits = l.commits[:sort.Search(len(l.commits), func(i int) bool { return l.commits[i] > version })]
	l.checkpoints = slices.DeleteFunc(slices.Clone(l.checkpoints), func(c checkpoint) bool { return c.version > version })
	return l
}

// after is the commits after a version.
func (l listing) after(version int64) []int64 {
	return l.commits[sort.Search(len(l.commits), func(i int) bool { return l.commits[i] > version }):]
}
