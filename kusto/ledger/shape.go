package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Shape is the number of the stored shape that this program writes, and the highest
// that it understands: ledger rows, lines of landing tables, functions and extent
// tags. It grows when earlier versions would misread what this one stores
// (docs/adr/0017-stored-shape.md).
const Shape = 1

// shapeDays is after how many days the row with the number is written again, so
// that a short retention of the ledger does not forget it.
const shapeDays = 7

// shapeDetail is the Detail of the row with the number.
type shapeDetail struct {
	Shape int `json:"shape"`
}

// NumbersText asks for the numbers that the ledger holds, with the versions of the
// program that wrote them: one row each, however often they were written.
const NumbersText = kql.RunsTable + `
| where State == "` + kql.ShapeState + `"
| summarize At = min(At) by Owner, Shape = tolong(Detail.shape)
| where Shape > 0`

// understood ends a query whose rows are appended only if the ledger holds no
// higher number than this program understands.
var understood = fmt.Sprintf("| where toscalar(%s | where State == %s and tolong(Detail.shape) > %d | count) == 0",
	kql.RunsTable, kql.Literal(kql.ShapeState), Shape)

// guarded is [kql.Guarded] for a query whose rows only a program may append that
// understands what the ledger holds.
func guarded(table, key, query string) string {
	return kql.Guarded(table, key, nil, understanding(query))
}

// understanding is a query without rows if the ledger holds a higher number than this
// program understands.
func understanding(query string) string { return query + "\n" + understood }

// shapeRow is the query for the row with this program's number, empty where a recent
// row has the number or a higher one.
func shapeRow(version string) (string, error) {
	detail, err := kql.Document(shapeDetail{Shape})
	if err != nil {
		return "", conn.RefusedError("lease", "", err, "")
	}
	return fmt.Sprintf(`print Table = ""
| where toscalar(%s | where State == %s and At > ago(%dd) and tolong(Detail.shape) >= %d | count) == 0
| project %s`, kql.RunsTable, kql.Literal(kql.ShapeState), shapeDays, Shape, kql.Fill(kql.RunsColumns, map[string]kql.Expression{
		"Table":  {Kind: "string", Text: "Table"},
		"State":  {Kind: "string", Text: kql.Literal(kql.ShapeState)},
		"At":     {Kind: "datetime", Text: "now()"},
		"Owner":  {Kind: "string", Text: kql.Literal(version)},
		"Detail": {Kind: "dynamic", Text: detail},
	})), nil
}

// Numbers collects the numbers of the stored shape from the rows of an answer.
type Numbers struct {
	highest tvmexport.StoredShape
	since   time.Time
}

// longestVersion bounds the version in a message.
const longestVersion = 80

// Read reads a row of [NumbersText], whose time is in the column at. It is false for
// rows that are about something else.
func (n *Numbers) Read(r *conn.Reader, at string) bool {
	found := tvmexport.StoredShape{Number: int(r.Long("Shape"))}
	if found.Number <= 0 {
		return false
	}
	if v := conn.Tidy(r.Text("Owner")); len(v) <= longestVersion {
		found.Version = v
	}
	since := r.Time(at)
	if found.Number > n.highest.Number || found.Number == n.highest.Number && since.Before(n.since) {
		n.highest, n.since = found, since
	}
	return true
}

// Highest is the highest number, with the version that wrote it first.
func (n *Numbers) Highest() tvmexport.StoredShape { return n.highest }

// Stored is the number that the ledger holds.
func (c *Ledger) Stored(ctx context.Context, op string) (tvmexport.StoredShape, error) {
	s := conn.Statement{Op: op, Text: NumbersText}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return tvmexport.StoredShape{}, err
	}
	var found Numbers
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) bool { return found.Read(r, "At") })
	return found.Highest(), err
}

// Understands returns an error with the code NewerShape if the ledger holds a higher
// number than this program understands.
func (c *Ledger) Understands(ctx context.Context, op, table string) error {
	stored, err := c.Stored(ctx, op)
	if err != nil {
		return err
	}
	return stored.Beyond(op, table, Shape)
}

// Number writes this program's number into the ledger, unless a recent row has it
// or a higher one.
func (c *Ledger) Number(ctx context.Context, op string) error {
	row, err := shapeRow(c.version)
	if err != nil {
		return err
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: op, Idempotent: true, Text: ".set-or-append " + kql.RunsTable + " <|\n" + row + "\n" + understood})
	return err
}
