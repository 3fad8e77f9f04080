package spool

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// changes is a source of which the state is of a certain time, and that lists by time.
type changes struct {
	*contract.ListingSource
	at    time.Time
	gone  time.Time // up to which the source no longer has rows
	since []time.Time
}

func (c *changes) ListSince(ctx context.Context, t tvmexport.Table, from time.Time) (tvmexport.Listing, error) {
	c.since = append(c.since, from)
	l, err := c.List(ctx, t)
	l.At = c.at
	if from.Before(c.gone) {
		l.Gone = tvmexport.Window{From: from, To: c.gone}
	}
	return l, err
}

func eventsUntil(hour int) (rows []contract.Row) {
	for i := range hour * 10 {
		at := time.Date(2026, 11, 20, 0, i*6, 0, 0, time.UTC)
		key := fmt.Sprintf("%02x%038x", i*37%256, i)
		rows = append(rows, contract.Row{Key: key, Time: at, JSON: fmt.Sprintf(`{"DeviceId":%q,"Timestamp":%s}`, key, stamp(at))})
	}
	return rows
}

// A table with a watermark follows the source's states: the watermark is the time of the
// newest one, and the next run lists what has come since, with the hours that are counted
// again.
func TestWatermarkFollowsTheSource(t *testing.T) {
	table := events
	table.Name, table.Destination = "T", "TRaw"
	table.Columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}}
	r := newRig(t, table, Options{})
	behind := &changes{ListingSource: r.behind, at: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	r.Source = newSource(t, behind, Options{})
	r.Recount = 4 * time.Hour
	r.behind.Generate("T", "1", eventsUntil(12))
	if o := r.export(t); o.Err != nil || o.Rows != 120 || !o.Run.Watermark.Equal(behind.at) {
		t.Fatal(o.Rows, o.Run.Watermark, o.Err)
	}
	behind.at = behind.at.Add(6 * time.Hour)
	r.behind.Generate("T", "2", eventsUntil(18)[60:])
	o := r.export(t)
	if o.Err != nil || o.Rows != 60 && o.Rows != 59 || !o.Run.Watermark.Equal(behind.at) {
		t.Errorf("%d rows, watermark %s, %v", o.Rows, o.Run.Watermark, o.Err)
	}
	r.readersSee(t, eventsUntil(18))
	if len(behind.since) != 2 || !behind.since[0].IsZero() || behind.since[1].After(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)) {
		t.Errorf("listed since %v", behind.since)
	}
}

// A question about earlier rows than those that were listed reads the table again.
func TestEarlierRowsAreListed(t *testing.T) {
	behind := &changes{ListingSource: &contract.ListingSource{}, at: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	behind.Generate("E", "1", eventsUntil(12))
	s := newSource(t, behind, Options{})
	for _, from := range []time.Time{behind.at.Add(-2 * time.Hour), behind.at.Add(-time.Hour), behind.at.Add(-3 * time.Hour), {}} {
		c, err := s.Count(t.Context(), tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: from, To: behind.at}, Bin: time.Hour})
		if err != nil || !c.Now.Equal(behind.at) {
			t.Fatal(c.Now, err)
		}
	}
	if len(behind.since) != 3 {
		t.Errorf("listed since %v", behind.since)
	}
}

// A count says what the source no longer has of its window, also when it is answered from
// the disk.
func TestCountSaysWhatIsGone(t *testing.T) {
	behind := &changes{ListingSource: &contract.ListingSource{}, at: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	behind.gone = behind.at.Add(-4 * time.Hour)
	behind.Generate("E", "1", eventsUntil(12))
	s := newSource(t, behind, Options{})
	for _, c := range []struct {
		from time.Time
		gone tvmexport.Window
	}{
		{behind.at.Add(-time.Hour), tvmexport.Window{}},
		{behind.at.Add(-6 * time.Hour), tvmexport.Window{From: behind.at.Add(-6 * time.Hour), To: behind.gone}},
		{behind.at.Add(-5 * time.Hour), tvmexport.Window{From: behind.at.Add(-6 * time.Hour), To: behind.gone}},
		{time.Time{}, tvmexport.Window{To: behind.gone}},
	} {
		counts, err := s.Count(t.Context(), tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: c.from, To: behind.at}, Bin: time.Hour})
		if err != nil || counts.Gone != c.gone {
			t.Errorf("from %s: gone is %v, want %v; %v", c.from, counts.Gone, c.gone, err)
		}
	}
	if len(behind.since) != 3 {
		t.Errorf("listed since %v", behind.since)
	}
}
