package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/reliability/past"
)

// tick is what Kusto's clock can tell apart.
const tick = 100 * time.Nanosecond

// findings are differences found, and how often it was looked.
type findings struct {
	looked int
	differ []string
}

func (f *findings) add(difference string) {
	f.looked++
	if difference != "" {
		f.differ = append(f.differ, difference)
	}
}

// checkDays holds the function of each table, as of the commit of each day,
// against what the source held on that day.
func (c *chronicle) checkDays(ctx context.Context, f *findings) error {
	for _, e := range c.entries {
		for _, t := range c.rig.Tables {
			d, err := c.differs(ctx, e, t.Name, fmt.Sprintf("%sAsOf(%s)", t.Name, past.Moment(e.at[t.Name])))
			if err != nil {
				return err
			}
			f.add(d)
		}
	}
	return nil
}

// checkBetween holds moments next to commits against the days that they belong
// to: one tick before a commit, and long after the last one.
func (c *chronicle) checkBetween(ctx context.Context, f *findings) error {
	last := c.entries[len(c.entries)-1]
	for _, t := range c.rig.Tables {
		for i := 1; i < len(c.entries); i += max(1, len(c.entries)/4) {
			before := c.entries[i].at[t.Name].Add(-tick)
			d, err := c.differs(ctx, c.entries[i-1], t.Name, fmt.Sprintf("%sAsOf(%s)", t.Name, past.Moment(before)))
			if err != nil {
				return err
			}
			f.add(d)
		}
		d, err := c.differs(ctx, last, t.Name, t.Name+"AsOf(now() + 365d)")
		if err != nil {
			return err
		}
		f.add(d)
	}
	return nil
}

// checkNow holds the current functions against the source of the last day.
func (c *chronicle) checkNow(ctx context.Context, f *findings) error {
	last := c.entries[len(c.entries)-1]
	for _, t := range c.rig.Tables {
		d, err := c.differs(ctx, last, t.Name, t.Name)
		if err != nil {
			return err
		}
		f.add(d)
	}
	return nil
}
