package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// updatePolicy is one transactional update policy: what is ingested into
// Source passes its Query, and if that fails, the ingestion fails
// (https://learn.microsoft.com/kusto/management/update-policy).
type updatePolicy struct {
	Target           string // the table that the policy fills
	Source           string
	SourceIsWildCard bool
	IsEnabled        bool
	IsTransactional  bool
	Query            string
}

func (p updatePolicy) reads(table string) bool {
	if prefix, ok := strings.CutSuffix(p.Source, "*"); ok && p.SourceIsWildCard {
		return strings.HasPrefix(table, prefix)
	}
	return p.Source == table
}

// BrokenUpdates returns, by the name of the table that it reads, an error for
// each update policy that keeps rows from being ingested into one of the
// tables. It runs each such policy's query over no rows.
func (c *Inspector) BrokenUpdates(ctx context.Context, tables []string) (map[string]error, error) {
	policies, err := c.updatePolicies(ctx)
	if err != nil {
		return nil, err
	}
	broken := map[string]error{}
	for _, p := range policies {
		i := slices.IndexFunc(tables, p.reads)
		if i < 0 || !p.IsEnabled || !p.IsTransactional {
			continue
		}
		if err := c.tryUpdate(ctx, p); err != nil {
			broken[tables[i]] = err
		}
	}
	return broken, nil
}

func (c *Inspector) updatePolicies(ctx context.Context) ([]updatePolicy, error) {
	s := conn.Statement{Op: "check", Idempotent: true, Text: ".show table * policy update"}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	type shown struct{ entity, policy string }
	list, err := conn.ReadRows(s, rows, func(r *conn.Reader) shown { return shown{r.Text("EntityName"), r.Text("Policy")} })
	if err != nil {
		return nil, err
	}
	var out []updatePolicy
	for _, l := range list {
		var of []updatePolicy
		if l.policy == "" || json.Unmarshal([]byte(l.policy), &of) != nil {
			continue // null: the table has no policy
		}
		target := l.entity[strings.LastIndexByte(l.entity, '.')+1:]
		for _, p := range of {
			p.Target = strings.Trim(target, "[]")
			out = append(out, p)
		}
	}
	return out, nil
}

// tryUpdate says why a policy's query cannot fill its table: it fails, or its
// columns have other types than those of the table, which are matched by order.
func (c *Inspector) tryUpdate(ctx context.Context, p updatePolicy) error {
	fail := func(err error) error {
		_, hint, _ := conn.CauseNamed("update policy")
		return conn.RefusedError("check", "", fmt.Errorf("the update policy of table %s reads it and fails: %w", p.Target, err), hint)
	}
	query := strings.TrimRight(p.Query, "; \t\r\n") // a policy's query may end with the sign that ends a statement
	s := conn.Statement{Op: "check", Text: query + "\n| getschema\n| project ColumnType"}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		if tvmexport.CauseOf(err) == tvmexport.Permission {
			return nil // the query runs with the rights of another identity
		}
		return fail(err)
	}
	got, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("ColumnType") })
	if err != nil {
		return err
	}
	columns, err := c.conn.Columns(ctx, p.Target)
	if err != nil {
		return err
	}
	want := make([]string, len(columns))
	for i, k := range columns {
		want[i] = k.Kind
	}
	if !slices.Equal(got, want) {
		return fail(fmt.Errorf("its query returns (%s), the table has (%s)", strings.Join(got, ", "), strings.Join(want, ", ")))
	}
	return nil
}
