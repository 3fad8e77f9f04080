package engine

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rowLevelSecurity is the policy that replaces a table by a query for all who
// read it, administrators among them
// (https://learn.microsoft.com/kusto/management/row-level-security-policy).
type rowLevelSecurity struct {
	IsEnabled bool
	Query     string
}

func (t *table) rowLevelSecurity() (rowLevelSecurity, bool) {
	var p rowLevelSecurity
	return p, json.Unmarshal([]byte(t.policies[policyRowLevel]), &p) == nil && p.Query != ""
}

// protected says whether an active policy restricts which rows are visible.
func (t *table) protected() bool {
	p, ok := t.rowLevelSecurity()
	return ok && p.IsEnabled
}

// hidesRows says whether reading t goes through its policy.
func (c *catalog) hidesRows(t *table) bool {
	if c.system || c.behind == t.name {
		return false
	}
	p, ok := t.rowLevelSecurity()
	return ok && (p.IsEnabled || c.force)
}

// visible is the table as its policy shows it. The policy's query reads the
// table itself, and no other that has such a policy.
func (c *catalog) visible(s scope, t *table) kql.Relation {
	whole := &extent.Relation{Schema: t.columns, Extents: t.extents}
	if c.behind != "" {
		return refused{whole, semantic("The row level security query of table '%s' refers to table '%s', which has the same policy", c.behind, t.name)}
	}
	p, _ := t.rowLevelSecurity()
	statement, err := c.rowLevelQuery(s, t, p.Query)
	if err != nil {
		return refused{whole, err}
	}
	return filtered{whole, statement}
}

// rowLevelQuery compiles a policy's query, with the hidden columns behind the
// visible ones.
func (c *catalog) rowLevelQuery(s scope, t *table, query string) (*kql.Statement, error) {
	inner := *c
	inner.behind, inner.home = t.name, s.db.name
	text := strings.TrimRight(query, "; \t\r\n") +
		"\n| extend ['$1'] = ingestion_time(), ['$2'] = extent_id(), ['$3'] = extent_tags()"
	q, err := kql.Compile(text, kql.Environment{Catalog: &inner, Database: s.db.name, Now: c.in.now(), Principal: c.p.FQN()})
	if err != nil {
		return nil, asError(err)
	}
	if len(q.Statements) != 1 {
		return nil, semantic("The row level security query of table '%s' must be one tabular statement", t.name)
	}
	columns := q.Statements[0].Columns()
	if n := len(columns) - 3; n < 0 || !slices.Equal(columns[:n], t.schema()) {
		return nil, semantic("The row level security query of table '%s' must produce the table's columns, with their names and types and in their order", t.name)
	}
	return q.Statements[0], nil
}

// filtered is a table as a policy's query shows it.
type filtered struct {
	kql.Relation
	statement *kql.Statement
}

// Scan runs the policy's query.
func (r filtered) Scan(ctx context.Context, _ kql.Request) iter.Seq2[[]value.Value, error] {
	return r.statement.Rows(ctx)
}

// checkRowLevel refuses a policy whose query does not give the table, and one
// on a table on which it cannot be enabled: that an update policy reads, or
// that has restricted view access, or whose rows a materialized view shows.
func checkRowLevel(s *session, sc scope, name, text string, with command.Properties) error {
	t, err := sc.state.table(name)
	if err != nil {
		return err
	}
	var p rowLevelSecurity
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return badRequest("The row_level_security policy is not valid: %v", err)
	}
	if _, err := s.e.databases.catalog(sc.db.name, s.call.Principal).rowLevelQuery(sc, t, p.Query); err != nil {
		return err
	}
	switch {
	case !p.IsEnabled:
		return nil
	case t.restricted():
		return badRequest("The row_level_security policy cannot be enabled on table '%s': it has a restricted_view_access policy", name)
	}
	for _, target := range sc.state.sortedTables() {
		for _, u := range target.updatePolicies() {
			if u.reads(name) || u.IsEnabled && mentions(u.Query, name) {
				return badRequest("The row_level_security policy cannot be enabled on table '%s': the update policy of table '%s' refers to it", name, target.name)
			}
		}
	}
	return checkViewsOnRowLevel(sc.state, name, with)
}

// checkRestricted refuses restricted view access to a table that has row-level
// security, or that a materialized view reads.
func checkRestricted(state *state, name, text string) error {
	t, err := state.table(name)
	if err != nil {
		return err
	}
	if !restrictedBy(text) {
		return nil
	}
	if t.protected() {
		return badRequest("The restricted_view_access policy cannot be enabled on table '%s': it has a row_level_security policy", name)
	}
	for _, v := range viewsOf(state, name) {
		return badRequest("The restricted_view_access policy cannot be enabled on table '%s': it is the source of the materialized view '%s'", name, v.name)
	}
	return nil
}

// mentions says whether a query holds a name as a word of its own.
func mentions(query, name string) bool {
	for rest := query; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(name):]
		if !inWord(before, len(before)-1) && !inWord(after, 0) {
			return true
		}
		rest = after
	}
}

func inWord(s string, i int) bool {
	return i >= 0 && i < len(s) && (s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 'a' && s[i] <= 'z')
}
