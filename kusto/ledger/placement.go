package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Missing is what lacksOf says of one table, asked for once until the table is
// published or made fit again.
func (c *Ledger) Missing(ctx context.Context, t tvmexport.Table) (views.MissingRuns, error) {
	c.mu.Lock()
	known, ok := c.lacks[t.Name]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := c.readMissing(ctx, []tvmexport.Table{t})
	return found[t.Name], err
}

// readMissing is Missing for several tables at once.
func (c *Ledger) readMissing(ctx context.Context, tables []tvmexport.Table) (map[string]views.MissingRuns, error) {
	out := make(map[string]views.MissingRuns, len(tables))
	var unknown []tvmexport.Table
	c.mu.Lock()
	for _, t := range tables {
		known, ok := c.lacks[t.Name]
		if !ok {
			unknown = append(unknown, t)
		}
		out[t.Name] = known
	}
	c.mu.Unlock()
	if len(unknown) == 0 {
		return out, nil
	}
	found, err := c.MissingRuns(ctx, unknown)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range unknown {
		c.lacks[t.Name], out[t.Name] = found[t.Name], found[t.Name]
	}
	return out, nil
}

// Forget drops what is known of a table's shape and runs.
func (c *Ledger) Forget(t tvmexport.Table) {
	c.conn.ForgetTable(t.Typed())
	c.mu.Lock()
	delete(c.lacks, t.Name)
	c.mu.Unlock()
}

// ForgetAll drops what is known of the runs of all tables.
func (c *Ledger) ForgetAll() {
	c.mu.Lock()
	clear(c.lacks)
	c.mu.Unlock()
}

// MissingRuns returns, by table name, which published tables do not hold all
// committed runs.
func (c *Ledger) MissingRuns(ctx context.Context, tables []tvmexport.Table) (map[string]views.MissingRuns, error) {
	s := conn.Statement{Op: "read ledger", Text: lacksText(tables)}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[string]views.MissingRuns{}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		out[r.Text("Table")] = views.MissingRuns{Raw: r.Long("LackRaw") > 0, Typed: r.Long("LackTyped") > 0}
		return struct{}{}
	})
	return out, err
}

// lacksText counts the committed runs whose rows are not in each published
// table, by what their publications say; the earliest versions said nothing
// and filled Raw.
func lacksText(tables []tvmexport.Table) string {
	names := kql.Among(kql.Names(tables))
	return fmt.Sprintf(`let Layouts = %s
    | where Table in (%s) and State == %s
    | summarize Layout = max(tostring(Detail.layout)) by RunId;
%s
| where Table in (%s) and State == %s and Kind != %s and Rows > 0
| join kind=leftouter Layouts on RunId
| summarize LackRaw = countif(Layout == %s), LackTyped = countif(Layout !in (%s)) by Table`,
		kql.RunsTable, names, kql.Literal(kql.PublishingState), kql.RunsTable, names, kql.Literal(kql.CommittedState), kql.Literal(string(tvmexport.LegacyRun)),
		kql.Literal(string(tvmexport.TypedOnly)), kql.Literals([]tvmexport.Layout{tvmexport.TypedOnly, tvmexport.Both}))
}

// Placements is lacksOf where there is a ledger.
func (c *Ledger) Placements(ctx context.Context, tables []tvmexport.Table, inv conn.Schema) (map[string]views.MissingRuns, error) {
	if found, ok := inv.Tables[kql.RunsTable]; !ok || len(tables) == 0 || !slices.Contains(found.Columns, kql.Column{Name: "Detail", Kind: "dynamic"}) {
		return nil, nil
	}
	return c.MissingRuns(ctx, tables)
}
