package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// strayDays is how far back rows are looked for that are not ours.
const strayDays = 7

// readLegacy fills in what is known of the exporters that tables were taken
// over from. Only tables that somebody else made can have been.
func (c *Ledger) readLegacy(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History) error {
	var theirs []tvmexport.Table
	for _, t := range tables {
		raw, err := c.conn.Columns(ctx, t.Destination)
		if errors.Is(err, conn.ErrNoTable) && !t.Layout.Raw() {
			continue
		}
		if err != nil {
			return err
		}
		if views.IsForeign(raw) {
			theirs = append(theirs, t)
		}
	}
	until, err := c.TakenOver(ctx, theirs)
	if err != nil || len(until) == 0 {
		return err
	}
	strays, err := c.strays(ctx, theirs, until)
	if err != nil {
		return err
	}
	for name, at := range until {
		h := of[name]
		l := tvmexport.Legacy{Until: at}
		if s, ok := strays[name]; ok {
			l.Strays, l.StrayAt = s.rows, s.newest
		}
		h.Legacy = &l
		of[name] = h
	}
	return nil
}

// TakenOver says when tables were taken over, by name.
func (c *Ledger) TakenOver(ctx context.Context, tables []tvmexport.Table) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	if len(tables) == 0 {
		return out, nil
	}
	s := conn.Statement{Op: "read ledger", Text: takenOverText(tables)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		out[r.Text("Table")] = r.Time("Until")
		return struct{}{}
	})
	return out, err
}

// takenOverText is the query for the time of each table's newest takeover.
func takenOverText(tables []tvmexport.Table) string {
	return fmt.Sprintf(`%s
| where Table in (%s) and Kind == %s and State in (%s)
| summarize Until = max(At) by Table`, kql.RunsTable, kql.Literals(kql.Names(tables)), kql.Literal(string(tvmexport.LegacyRun)), kql.Literals([]string{kql.CommittedState, kql.TakenOverState}))
}

type strayRows struct {
	rows   int64
	newest time.Time
}

// strays counts the rows of the last days that came after a takeover and not
// from us: one query for all tables.
func (c *Ledger) strays(ctx context.Context, tables []tvmexport.Table, until map[string]time.Time) (map[string]strayRows, error) {
	s := conn.Statement{Op: "look for another exporter", Text: straysText(tables, until)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[string]strayRows{}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		out[r.Text("Table")] = strayRows{r.Long("Rows"), r.Time("Newest")}
		return struct{}{}
	})
	return out, err
}

// straysText is the query for rows that another exporter added to taken-over
// tables after the given times.
func straysText(tables []tvmexport.Table, until map[string]time.Time) string {
	var parts []string
	for _, t := range tables {
		at, ok := until[t.Name]
		if !ok {
			continue
		}
		parts = append(parts, fmt.Sprintf(`%s
| where ingestion_time() > max_of(%s, ago(%dd))
| where isempty(%s)
| summarize Rows = count(), Newest = max(ingestion_time())
| project Table = %s, Rows, Newest
`, kql.Ident(t.Destination), kql.Datetime(at), strayDays, views.PublishedBy, kql.Literal(t.Name)))
	}
	return "union (\n" + strings.Join(parts, "), (\n") + ")\n| where Rows > 0"
}
