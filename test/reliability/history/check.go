package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport/test/reliability/past"
)

// tick is the resolution of Kusto's clock.
const tick = 100 * time.Nanosecond

// findings are differences found, and how often it was looked.
type findings struct {
	looked int
	differ []string
}

// look makes n comparisons, as many at a time as there are processors. A
// comparison gives the difference that it found, "" if none.
func (f *findings) look(n int, compare func(i int) (string, error)) error {
	found := make([]string, n)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() (err error) {
			found[i], err = compare(i)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	f.looked += n
	for _, d := range found {
		if d != "" {
			f.differ = append(f.differ, d)
		}
	}
	return nil
}

// checkDays holds the function of each table, as of the commit of each day,
// against what the source held on that day.
func (c *chronicle) checkDays(ctx context.Context, f *findings) error {
	tables := len(c.rig.Tables)
	return f.look(len(c.entries)*tables, func(i int) (string, error) {
		e, name := c.entries[i/tables], c.rig.Tables[i%tables].Name
		return c.differs(ctx, e, name, fmt.Sprintf("%sAsOf(%s)", name, past.Moment(e.at[name])))
	})
}

// checkBetween compares moments next to commits with the days that they belong to:
// one tick before a commit, and long after the last one.
func (c *chronicle) checkBetween(ctx context.Context, f *findings) error {
	type moment struct {
		belongs     entry
		table, call string
	}
	var list []moment
	for _, t := range c.rig.Tables {
		for i := 1; i < len(c.entries); i += max(1, len(c.entries)/4) {
			before := c.entries[i].at[t.Name].Add(-tick)
			list = append(list, moment{c.entries[i-1], t.Name, fmt.Sprintf("%sAsOf(%s)", t.Name, past.Moment(before))})
		}
		list = append(list, moment{c.entries[len(c.entries)-1], t.Name, t.Name + "AsOf(now() + 365d)"})
	}
	return f.look(len(list), func(i int) (string, error) {
		return c.differs(ctx, list[i].belongs, list[i].table, list[i].call)
	})
}

// checkNow compares the current functions with the source of the last day.
func (c *chronicle) checkNow(ctx context.Context, f *findings) error {
	last := c.entries[len(c.entries)-1]
	return f.look(len(c.rig.Tables), func(i int) (string, error) {
		name := c.rig.Tables[i].Name
		return c.differs(ctx, last, name, name)
	})
}
