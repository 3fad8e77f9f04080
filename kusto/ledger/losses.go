package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// place is a table that rows of a source table are published into.
type place struct {
	Of      tvmexport.Table
	Table   string
	Columns []kql.Column
	Typed   bool
	Readers bool          // it is the one that readers look at
	missing bool          // the database has no such table
	Keep    time.Duration // how long its policy keeps rows; 0: not known
}

// lossesOf says what the ledger and the published tables show to be gone of
// each table, and how many rows readers see of those that follow a watermark: one
// query for all of them.
func (c *Ledger) lossesOf(ctx context.Context, tables []tvmexport.Table, kept map[string]time.Duration) (out map[string]tvmexport.Losses, seen map[string]int64, err error) {
	var places []place
	for _, t := range tables {
		of, err := c.placesOf(ctx, t, kept)
		if err != nil {
			return nil, nil, err
		}
		places = append(places, of...)
	}
	out, seen = make(map[string]tvmexport.Losses, len(tables)), map[string]int64{}
	if len(tables) == 0 {
		return out, seen, nil
	}
	s := conn.Statement{Op: "compare the ledger with published rows", Text: lossesText(tables, places)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		table := r.Text("Table")
		l := out[table]
		number := r.Count("Number")
		switch r.Text("What") {
		case strangeRows:
			l.Strange += number
		case holes:
			l.Holes = number
		case incompleteRecords:
			l.Records = number
		case copiedWatermark:
			l.Copied = true
		case unknownCopy:
			l.Copied, l.Unknown = true, true
		case shortOfRows:
			i := slices.IndexFunc(places, func(p place) bool { return p.Of.Name == table && p.Table == r.Text("Place") })
			if i < 0 {
				r.Fail("Place", fmt.Errorf("%q is no table that was asked about", r.Text("Place")))
				break
			}
			l.Rows += number
			l.Short = append(l.Short, tvmexport.Short{
				Table: places[i].Table, Readers: places[i].Readers, Recorded: r.Count("Recorded"), Held: r.Count("Held"), Gone: number,
			})
		case keptRows:
			seen[table] = number
		default:
			r.Fail("What", errors.New("a row says nothing that was asked"))
		}
		out[table] = l
		return struct{}{}
	})
	if err == nil {
		err = c.trulyGone(ctx, s.Op, places, out)
	}
	return out, seen, err
}

// trulyGone is an error if rows that seem to be gone are hidden by a policy that
// was set since the policies were last read. Without losses it costs no request.
func (c *Ledger) trulyGone(ctx context.Context, op string, places []place, lost map[string]tvmexport.Losses) error {
	for _, p := range places {
		if p.missing || !slices.ContainsFunc(lost[p.Of.Name].Short, func(s tvmexport.Short) bool { return s.Table == p.Table }) {
			continue
		}
		if err := c.visible.SeesAllNow(ctx, op, p.Of.Name, p.Table); err != nil {
			return err
		}
	}
	return nil
}

// placesOf are the published tables of t, also those that the database does
// not have: a table that was dropped has lost its rows.
func (c *Ledger) placesOf(ctx context.Context, t tvmexport.Table, kept map[string]time.Duration) ([]place, error) {
	from, err := c.Readers(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []place
	for _, p := range []place{{Table: t.Destination}, {Table: t.Typed(), Typed: true}} {
		if p.Typed && !views.IsTyped(t) || !p.Typed && !t.Layout.Raw() && views.IsTyped(t) {
			continue
		}
		p.Columns, err = c.conn.Columns(ctx, p.Table)
		if p.missing = errors.Is(err, conn.ErrNoTable); err != nil && !p.missing {
			return nil, err
		}
		if p.Typed && !p.missing && views.IsForeign(p.Columns) { // somebody else's
			continue
		}
		p.Of, p.Readers, p.Keep = t, p.Table == from.Table, kept[p.Table]
		out = append(out, p)
	}
	return out, nil
}

// What a row of lossesText is about.
const (
	strangeRows       = "strange"
	holes             = "holes"
	incompleteRecords = "records"
	shortOfRows       = "short"
	keptRows          = "kept"
	copiedWatermark   = "copied"
	unknownCopy       = "unknown copy"
)

// copyTag begins the tag of the extents that hold copies of watermarks.
const copyTag = "ingest-by:" + finishKey

// SourceDays is how long the source keeps events, with a day of margin: rows
// of older runs could not be fetched again.
const SourceDays = 31

// lossesText compares what the ledger says of the committed runs that readers
// see with the rows that the published tables hold of them. Of a table that
// follows a watermark only the runs of the last weeks count, and only as long as
// the table's own policy keeps rows. A table without commits is looked at as a whole.
//
// A copy of a watermark is recognised by the tag of the command that wrote it.
// Extents with different ingest-by tags can be merged and then have both, so a
// row counts as a copy only where an older row of the same table exists, or
// where a tag names an invocation that the ledger does not know.
func lossesText(tables []tvmexport.Table, places []place) string {
	names := kql.Literals(kql.Names(tables))
	var found, expected, kept strings.Builder
	for i, p := range places {
		fmt.Fprintf(&found, "let Since%d = toscalar(Bounds | where Table == %s | project Since);\n", i, kql.Literal(p.Of.Name))
		by, bound := "RunId", ""
		switch {
		case p.missing:
		case views.IsForeign(p.Columns):
			by = views.PublishedBy
		case slices.Contains(p.Columns, kql.Column{Name: "ExportedAt", Kind: "datetime"}):
			bound = fmt.Sprintf("\n    | where isnull(Since%d) or ExportedAt >= Since%d", i, i)
		}
		from := kql.Ident(p.Table)
		if p.missing {
			from = "datatable (RunId:string) []"
		}
		fmt.Fprintf(&found, `let Found%d = %s%s
    | summarize Found = count() by RunId = %s
    | where isnotempty(RunId)
    | project Table = %s, Place = %s, RunId, Found;
`, i, from, bound, by, kql.Literal(p.Of.Name), kql.Literal(p.Table))
		filled, oldest := "!=", "datetime(1900-01-01)"
		if p.Typed {
			filled = "in"
		}
		layouts := kql.Literal(string(tvmexport.TypedOnly))
		if p.Typed {
			layouts = "(" + kql.Literals([]tvmexport.Layout{tvmexport.TypedOnly, tvmexport.Both}) + ")"
		}
		if p.Keep > 0 && p.Keep < policy.Unlimited {
			oldest = fmt.Sprintf("now() - %s", kql.Timespan(max(p.Keep-24*time.Hour, 0)))
		}
		if i > 0 {
			expected.WriteString("), (\n")
		}
		fmt.Fprintf(&expected, `Visible
    | where Table == %s and Kind != %s and Rows > 0 and Layout %s %s and At > %s and (isnull(Since%d) or Began >= Since%d)
    | project Table, Place = %s, RunId, Rows
`, kql.Literal(p.Of.Name), kql.Literal(string(tvmexport.LegacyRun)), filled, layouts, oldest, i, i, kql.Literal(p.Table))
		if p.Readers && p.Of.LoadType != tvmexport.Snapshot {
			if kept.Len() > 0 {
				kept.WriteString("), (\n")
			}
			fmt.Fprintf(&kept, `Visible
    | where Table == %s and At > %s
    | project Table, RunId, At, Rows
`, kql.Literal(p.Of.Name), oldest)
		}
	}
	founds := make([]string, len(places))
	for i := range places {
		founds[i] = fmt.Sprintf("Found%d", i)
	}
	return fmt.Sprintf(`let Runs = materialize(%s
    | where Table in (%s) and isnotempty(RunId)
    | extend Counts = State == %s
    | summarize At = minif(At, Counts), Began = minif(coalesce(todatetime(Detail.startedAt), datetime(1900-01-01)), Counts), Rows = maxif(Rows, Counts),
        Kind = take_anyif(Kind, Counts), Load = take_anyif(LoadType, Counts), Previous = take_anyif(Previous, Counts), Commits = countif(Counts),
        Layout = maxif(tostring(Detail.layout), State == %s) by Table, RunId);
let Commits = Runs
    | where Commits > 0;
let Full = Commits
    | where Kind == %s
    | summarize FullAt = max(At) by Table;
let Visible = materialize(Commits
    | join kind=leftouter Full on Table
    | where isnull(FullAt) or At >= FullAt
    | project Table, RunId, At, Began, Rows, Kind, Load, Previous, Layout, FullAt);
let Bounds = Visible
    | summarize Began = min(Began), FullAt = max(FullAt), Load = max(Load) by Table
    | project Table, Since = case(Load == %s, Began, isnull(FullAt), ago(%dd), max_of(Began, ago(%dd)));
%slet Published = materialize(union %s);
let Expected = union (
%s);
union (
Published
| join kind=leftanti Runs on Table, RunId
| summarize Number = sum(Found) by Table
| project Table, What = %s, Number, Place = "", Recorded = long(null), Held = long(null)
), (
Visible
| where Kind !in (%s) and isnotempty(Previous)
| join kind=leftanti (Commits | project Table, Previous = RunId) on Table, Previous
| summarize Number = count() by Table
| project Table, What = %s, Number, Place = "", Recorded = long(null), Held = long(null)
), (
Visible
| where Load == %s and Kind != %s
| project Table, RunId, Rows
| join kind=leftouter (%s
    | where Table in (%s)
    | summarize Rows = max(Rows) by Table, RunId, Partition, WindowFrom, WindowTo, WindowNull
    | summarize Parts = sum(Rows) by Table, RunId) on Table, RunId
| where Rows != coalesce(Parts, 0)
| summarize Number = count() by Table
| project Table, What = %s, Number, Place = "", Recorded = long(null), Held = long(null)
), (
Expected
| join kind=leftouter Published on Table, Place, RunId
| extend Found = coalesce(Found, 0)
| summarize Number = sum(max_of(Rows - Found, 0)), Recorded = sum(Rows), Held = sum(Found) by Table, Place
| where Number > 0
| project Table, What = %s, Number, Place, Recorded, Held
), (
%s%s
| where SourceTable in (%s)
| extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01)), Tags = extent_tags()
| summarize Number = count(), arg_max(WrittenAt, Tags) by Table = SourceTable
| mv-expand Tag = Tags to typeof(string)
| where Tag startswith_cs %s
| join kind=leftouter (%s
    | where State in (%s) and isnotempty(Owner)
    | distinct Owner
    | project Tag = strcat(%s, substring(hash_sha256(Owner), 0, %d)), Known = true) on Tag
| summarize Number = max(Number), Unknown = countif(isnull(Known)) by Table
| where Number > 1 or Unknown > 0
| project Table, What = iff(Unknown > 0, %s, %s), Number, Place = "", Recorded = long(null), Held = long(null)
)`,
		kql.RunsTable, names, kql.Literal(kql.CommittedState), kql.Literal(kql.PublishingState), kql.Literal(string(tvmexport.FullRun)),
		kql.Literal(string(tvmexport.Snapshot)), SourceDays, SourceDays,
		found.String(), strings.Join(founds, ", "), expected.String(),
		kql.Literal(strangeRows), kql.Literals([]tvmexport.RunKind{tvmexport.FullRun, tvmexport.LegacyRun}), kql.Literal(holes),
		kql.Literal(string(tvmexport.Snapshot)), kql.Literal(string(tvmexport.LegacyRun)), kql.PartitionsTable, names, kql.Literal(incompleteRecords),
		kql.Literal(shortOfRows), keptText(kept.String(), names), kql.ConfigurationTable, names, kql.Literal(copyTag), kql.RunsTable, kql.Literals([]string{kql.CommittedState, kql.EndedState}), kql.Literal(copyTag), digestLength,
		kql.Literal(unknownCopy), kql.Literal(copiedWatermark))
}

// keptText is the part of lossesText that counts the rows that readers see of tables
// that follow a watermark: those of the runs that the queries in kept list. Of rows
// without a watermark, which come again with each run, only the newest run's count.
func keptText(kept, names string) string {
	if kept == "" {
		return ""
	}
	return fmt.Sprintf(`union (
%s)
| join kind=leftouter (%s
    | where Table in (%s) and WindowNull
    | summarize Rows = max(Rows) by Table, RunId, Partition
    | summarize Nulls = sum(Rows) by Table, RunId) on Table, RunId
| extend Nulls = coalesce(Nulls, 0)
| summarize Number = sum(Rows - Nulls), arg_max(At, Nulls) by Table
| project Table, What = %s, Number = Number + Nulls, Place = "", Recorded = long(null), Held = long(null)
), (
`, kept, kql.PartitionsTable, names, kql.Literal(keptRows))
}
