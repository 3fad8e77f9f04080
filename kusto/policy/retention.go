package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Retention says how long each table of the database keeps rows: by its own
// policy, else by that of the database. One command tells of all tables.
func (c *Reader) Retention(ctx context.Context) (map[string]time.Duration, error) {
	texts, err := c.All(ctx, "read schema", "retention")
	if err != nil {
		return nil, err
	}
	out := make(map[string]time.Duration, len(texts))
	byDatabase := time.Duration(0)
	for table, text := range texts {
		if keep, ok := softDelete(text); ok {
			out[table] = keep
			continue
		}
		if byDatabase == 0 {
			if byDatabase, err = c.KeptBy(ctx, ""); err != nil {
				return nil, err
			}
		}
		out[table] = byDatabase
	}
	return out, nil
}

// All are the tables' own policies of one kind, by table; "" where a
// table has none (https://learn.microsoft.com/kusto/management/show-table-retention-policy-command).
func (c *Reader) All(ctx context.Context, op, policy string) (map[string]string, error) {
	s := conn.Statement{Op: op, Idempotent: true, Text: ".show table * policy " + policy}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		if text := r.Text("Policy"); text != "null" {
			out[kql.TableOf(r.Text("EntityName"))] = text
		} else {
			out[kql.TableOf(r.Text("EntityName"))] = ""
		}
		return struct{}{}
	})
	return out, err
}

// KeptBy is how long rows are kept by a table's own retention policy, else by
// the database's.
func (c *Reader) KeptBy(ctx context.Context, text string) (time.Duration, error) {
	if text == "" {
		s := conn.Statement{Op: "read schema", Idempotent: true, One: true, Text: ".show database " + kql.Entity(c.conn.Database) + " policy retention"}
		var err error
		if text, err = c.Text(ctx, s); err != nil {
			return 0, err
		}
	}
	if keep, ok := softDelete(text); ok {
		return keep, nil
	}
	return Unlimited, nil
}

// Of is a table's own policy, "" if it has none.
func (c *Reader) Of(ctx context.Context, op, table, policy string) (string, error) {
	return c.Text(ctx, conn.Statement{
		Op: op, Table: table, Idempotent: true, One: true,
		Text: fmt.Sprintf(".show table %s policy %s", kql.Ident(table), policy),
	})
}

// Text returns the policy that the statement shows, as JSON; "" if none is set.
func (c *Reader) Text(ctx context.Context, s conn.Statement) (string, error) {
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return "", err
	}
	texts, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("Policy") })
	for _, text := range texts {
		if text != "" && text != "null" {
			return text, err
		}
	}
	return "", err
}

// softDelete reads how long a retention policy keeps rows.
func softDelete(text string) (time.Duration, bool) {
	var p struct{ SoftDeletePeriod string }
	if json.Unmarshal([]byte(text), &p) != nil {
		return 0, false
	}
	return Span(p.SoftDeletePeriod)
}
