package takeover

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// survey counts what the other exporter has put into the published table.
func (c *Importer) survey(ctx context.Context, t *Takeover, raw []kql.Column) error {
	if err := c.visible.SeesAll(ctx, "import", t.Table.Name, t.Table.Destination); err != nil {
		return err
	}
	s := conn.Statement{Op: "import", Table: t.Table.Name, Text: surveyText(t.Table, raw, t.Since)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return err
	}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		t.Rows, t.From, t.To = r.Long("Rows"), r.Time("First"), r.Time("Last")
		t.Unmarked, t.Untimed, t.Newest = r.Long("Unmarked"), r.Long("Untimed"), r.Time("Newest")
		return struct{}{}
	})
	return err
}

// theirs are the rows of a published table that are not ours, up to a
// takeover, with the record as Records.
func theirs(t tvmexport.Table, raw []kql.Column, until time.Time) string {
	bound := ""
	if !until.IsZero() {
		bound = fmt.Sprintf("| where isnull(ingestion_time()) or ingestion_time() <= %s\n", kql.Datetime(until))
	}
	return fmt.Sprintf("%s\n%s| where isempty(%s)\n%s", kql.Ident(t.Destination), bound, views.PublishedBy, views.AsRecords(raw))
}

// mark is the watermark of a record of another exporter.
func mark(t tvmexport.Table) string {
	switch {
	case t.LoadType == tvmexport.Snapshot:
		return "datetime(null)"
	case t.Watermark != tvmexport.IngestionTime:
		return views.WatermarkOf(t, views.Source{})
	}
	members := make([]string, len(ingestionMembers))
	for i, m := range ingestionMembers {
		members[i] = "todatetime(" + views.RecordColumn + kql.Member(m) + ")"
	}
	return "coalesce(" + strings.Join(members, ", ") + ")"
}

// surveyText is the query for the number of a table's older rows, their ingestion
// times and their newest watermark.
func surveyText(t tvmexport.Table, raw []kql.Column, until time.Time) string {
	return fmt.Sprintf(`%s| extend IngestedAt = ingestion_time(), Mark = %s
| summarize Rows = count(), First = min(IngestedAt), Last = max(IngestedAt), Untimed = countif(isnull(IngestedAt)), Unmarked = countif(isnull(Mark)), Newest = max(Mark)`,
		theirs(t, raw, until), mark(t))
}

// decide sets where the export continues, and what happens to the old rows. The
// watermark is the older of the other exporter's own watermark and the newest time
// in its rows: it wrote its watermark before its rows had landed, and from the
// first page of several. The first run finds missing rows before the watermark.
func (t *Takeover) decide(ours bool) {
	follows := t.Table.LoadType != tvmexport.Snapshot
	if follows && t.Since.IsZero() {
		noted := t.Old.From
		if t.column() != t.oldColumn() {
			noted = time.Time{} // of another watermark
		}
		t.Watermark = t.Newest
		if t.Newest.IsZero() || !noted.IsZero() && noted.Before(t.Newest) {
			t.Watermark = noted
		}
		if !t.To.IsZero() && t.Watermark.After(t.To) {
			t.Watermark = t.To // a clock was wrong: nothing can have come that is newer
		}
	}
	t.Joined = follows && !ours && !t.Watermark.IsZero()
	t.Reconfigure = t.Since.IsZero() && (t.Listed != kql.ConfigurationTable || t.Table.LoadType != t.Old.Load || t.column() != t.oldColumn())
	if !t.Since.IsZero() {
		t.Joined, t.Notes = false, []string{"was taken over at " + t.Since.UTC().Format(time.RFC3339)}
		return
	}
	switch {
	case t.Absent:
		t.Joined = false
		t.note("there is no table %s: tvmexport creates it", t.Table.Destination)
	case follows && ours:
		t.note("tvmexport has already exported it: the old rows stay in %s, and readers do not see them", t.Table.Destination)
	case follows && t.Rows > 0 && t.Watermark.IsZero():
		t.note("no old row has a watermark: they stay in %s, readers do not see them, and the export starts with the rows that Defender holds", t.Table.Destination)
	case follows && t.Unmarked > 0:
		t.note("%d old rows have no watermark", t.Unmarked)
	case !follows && t.Rows > 0:
		t.note("the old rows stay in %s and are not part of the current state", t.Table.Destination)
	}
	if t.Untimed > 0 {
		t.note("%d old rows have no ingestion_time(): the policy ingestiontime of %s is or was off, and rows of the old exporter cannot be distinguished from later ones", t.Untimed, t.Table.Destination)
	}
	if !t.Old.Active {
		t.note("it is deactivated (IsActive is false) and remains so; exporters of this family deactivate a table when a run fails")
	}
}

// column is the watermark column as the configuration has it.
func (t *Takeover) column() string {
	if t.Table.LoadType == tvmexport.Snapshot || t.Table.Watermark == tvmexport.IngestionTime {
		return ""
	}
	return t.Table.Watermark
}

func (t *Takeover) oldColumn() string {
	if t.Old.Load == tvmexport.Snapshot || t.Old.Column == tvmexport.IngestionTime {
		return ""
	}
	return t.Old.Column
}
