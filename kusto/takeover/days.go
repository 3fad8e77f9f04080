package takeover

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// mostDays bounds what a report shows of one table.
const mostDays = 1000

// LegacyDay is what a day of another exporter's rows shows. Of a table that
// follows its watermark it is a day of the watermark and its parts are hours
// with rows; else a day of ingestion, and its parts are loads: rows that came
// with less than an hour between them.
type LegacyDay struct {
	Day    time.Time // zero: rows without a watermark, or without a time of ingestion
	Rows   int64
	Copies int64 // beyond the first of equal content, within the hour or load
	Parts  int64
	Source int64 // rows at the source; tvmexport.Missing where it was not asked
	Lost   int64 // rows that the source holds and the table does not, by hours
}

// LegacyDays are the days of what another exporter has left, newest first,
// mostDays at most. The service does the work.
func (c *Importer) LegacyDays(ctx context.Context, t Takeover) ([]LegacyDay, error) {
	raw, err := c.conn.Columns(ctx, t.Table.Destination)
	if err != nil {
		return nil, err
	}
	s := conn.Statement{Op: "import", Table: t.Table.Name, Text: legacyDaysText(t, raw)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) LegacyDay {
		d := LegacyDay{Day: r.Time("Day"), Rows: r.Long("Rows"), Parts: r.Long("Parts"), Source: tvmexport.Missing}
		d.Copies = d.Rows - r.Long("Once")
		return d
	})
}

// sameText distinguishes records of one exporter: it writes equal rows as equal
// texts. Within an hour or a load 64 bits are enough.
const sameText = "hash(tostring(" + views.RecordColumn + "))"

// legacyDaysText is the query that counts the rows and copies of a taken-over
// table by day.
func legacyDaysText(t Takeover, raw []kql.Column) string {
	rows := theirs(t.Table, raw, t.Since)
	if t.byHour() {
		return fmt.Sprintf(`%s| extend Part = bin(%s, 1h), Content = %s
| summarize hint.strategy = shuffle Copies = count() by Part, Content
| summarize Rows = sum(Copies), Once = count() by Part
| summarize Rows = sum(Rows), Once = sum(Once), Parts = count() by Day = startofday(Part)
| top %d by Day desc`, rows, mark(t.Table), sameText, mostDays)
	}
	return fmt.Sprintf(`let Theirs = %s| extend IngestedAt = ingestion_time()
| project At = bin(IngestedAt, 5m), Content = %s
| summarize hint.strategy = shuffle Copies = count() by At, Content;
let Loads = Theirs
| distinct At
| order by At asc
| extend Part = row_cumsum(iff(At - prev(At) <= 1h, 0, 1));
Theirs
| join kind=inner Loads on At
| summarize hint.strategy = shuffle Copies = sum(Copies) by Part, Content
| summarize Rows = sum(Copies), Once = count() by Part
| join kind=inner (Loads | summarize Began = min(At) by Part) on Part
| summarize Rows = sum(Rows), Once = sum(Once), Parts = count() by Day = startofday(Began)
| top %d by Day desc`, rows, sameText, mostDays)
}

// byHour says whether the old rows carry their watermark.
func (t Takeover) byHour() bool { return t.Table.LoadType != tvmexport.Snapshot && t.Rows > t.Unmarked }

// LegacyHours counts, by hour of the watermark, what another exporter has left
// in a window, equal rows once.
func (c *Importer) LegacyHours(ctx context.Context, t Takeover, w tvmexport.Window) (map[time.Time]int64, error) {
	raw, err := c.conn.Columns(ctx, t.Table.Destination)
	if err != nil {
		return nil, err
	}
	s := conn.Statement{Op: "import", Table: t.Table.Name, Text: legacyHoursText(t, raw, w)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[time.Time]int64{}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		out[r.Time("Start")] = r.Long("Rows")
		return struct{}{}
	})
	return out, err
}

// legacyHoursText is the query that counts the rows of a taken-over table by hour
// of the watermark, within the window, equal rows once.
func legacyHoursText(t Takeover, raw []kql.Column, w tvmexport.Window) string {
	return fmt.Sprintf(`%s| extend Mark = %s
| where Mark > %s and Mark <= %s
| extend Start = bin(Mark, 1h), Content = %s
| summarize hint.strategy = shuffle Copies = count() by Start, Content
| summarize Rows = count() by Start`,
		theirs(t.Table, raw, t.Since), mark(t.Table), kql.Datetime(w.From), kql.Datetime(w.To), views.RecordContent(t.Table, views.RecordColumn))
}

// Compare fills in, for the days of which the source still holds hours, how
// many rows it has and how many of them are lost. A day that has no rows at
// all gets an entry.
func Compare(days []LegacyDay, source []tvmexport.Count, have map[time.Time]int64) []LegacyDay {
	for _, c := range source {
		if c.Start.IsZero() {
			continue
		}
		start := c.Start.UTC()
		day := start.Truncate(24 * time.Hour)
		i := slices.IndexFunc(days, func(d LegacyDay) bool { return d.Day.Equal(day) })
		if i < 0 {
			days = append(days, LegacyDay{Day: day, Source: tvmexport.Missing})
			i = len(days) - 1
		}
		d := &days[i]
		d.Source = max(d.Source, 0) + c.Rows
		d.Lost += max(0, c.Rows-have[start])
	}
	slices.SortFunc(days, func(a, b LegacyDay) int { return b.Day.Compare(a.Day) })
	return days
}

// Gaps are the runs of whole days without rows between the first and the last
// day that has some, newest first.
func Gaps(days []LegacyDay) []tvmexport.Window {
	var out []tvmexport.Window
	var later time.Time
	for _, d := range days {
		if d.Day.IsZero() || d.Rows == 0 {
			continue
		}
		if next := d.Day.Add(24 * time.Hour); !later.IsZero() && next.Before(later) {
			out = append(out, tvmexport.Window{From: next, To: later})
		}
		later = d.Day
	}
	return out
}
