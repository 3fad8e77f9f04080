package hunting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
)

// Columns implements tvmexport.Source.
func (c *Client) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	t := tvmexport.Table{Name: table}
	if err := check("schema", t); err != nil {
		return nil, err
	}
	var columns []tvmexport.Column
	q := question{op: "schema", table: table, text: name(table) + "\n| take 0"}
	_, err := c.ask(ctx, q, func(b *body) error {
		n := newNormaliser(c.o.API, tvmexport.Slice{Table: t}, newMark(), nil, nil)
		err := b.declared(n, discard{})
		columns = n.schema.declared
		return err
	})
	if err == nil && len(columns) == 0 {
		err = &tvmexport.Error{Op: "schema", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Refused, Err: errors.New("the service answers no schema")}
	}
	return columns, err
}

type discard struct{}

func (discard) WriteRow(_, _ []byte) error { return nil }

// Schemas implements tvmexport.Source: one call by getschema, and where the
// service refuses that, one for each table by a query without rows.
func (c *Client) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	for _, t := range tables {
		if err := check("schema", tvmexport.Table{Name: t}); err != nil {
			return nil, err
		}
	}
	out := make(map[string][]tvmexport.Column, len(tables))
	if len(tables) > 1 {
		var rows []schemaRow
		q := question{op: "schema", text: schemasQuery(tables)}
		_, err := c.ask(ctx, q, func(b *body) error {
			rows = rows[:0]
			return b.schemaRows(&rows)
		})
		if err == nil {
			return schemasOf(rows), nil
		}
		if !refused(err) {
			return nil, err
		}
		c.fallback(strings.Join(tables, ", "), "asking for the columns of each table by itself", err)
	}
	for _, t := range tables {
		columns, err := c.Columns(ctx, t)
		if err != nil && !refused(err) {
			return nil, err
		}
		if err == nil {
			out[t] = columns
		}
	}
	return out, nil
}

// schemasQuery asks for the columns of tables
// (https://learn.microsoft.com/kusto/query/getschema-operator).
func schemasQuery(tables []string) string {
	parts := make([]string, len(tables))
	for i, t := range tables {
		parts[i] = fmt.Sprintf("(%s | getschema | project Table = %s, ColumnName, ColumnOrdinal, ColumnType)", name(t), text(t))
	}
	return "union " + strings.Join(parts, ",\n")
}

// schemaRow is a column as getschema shows it.
type schemaRow struct {
	Table         string
	ColumnName    string
	ColumnOrdinal int
	ColumnType    string // by its Kusto name
}

func schemasOf(rows []schemaRow) map[string][]tvmexport.Column {
	slices.SortStableFunc(rows, func(a, b schemaRow) int { return cmp.Compare(a.ColumnOrdinal, b.ColumnOrdinal) })
	out := map[string][]tvmexport.Column{}
	for _, r := range rows {
		kind, ok := wireTypes[strings.ToLower(r.ColumnType)]
		if !ok {
			kind = "dynamic"
		}
		out[r.Table] = append(out[r.Table], tvmexport.Column{Name: r.ColumnName, Type: kind})
	}
	return out
}

func (b *body) schemaRows(rows *[]schemaRow) error { return rowsInto(b, "schema", rows) }

// rowsInto reads rows that are small and few into values.
func rowsInto[T any](b *body, of string, rows *[]T) error {
	return b.envelope(func([]byte) error { return nil }, func(text []byte) (int, error) {
		s := scan{text: text}
		end := s.value(0, 0)
		if end < 0 {
			return end, nil
		}
		var r T
		if err := json.Unmarshal(text[:end], &r, jsontext.AllowDuplicateNames(true), json.MatchCaseInsensitiveNames(true)); err != nil {
			return 0, unreadable(of, err)
		}
		*rows = append(*rows, r)
		return end, nil
	})
}

// unreadable is about a row that does not have the members of its Go type. The
// library's reason quotes values; the place within the row is enough.
func unreadable(of string, err error) error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) && semantic.GoType != nil {
		return fmt.Errorf("a row of the %s does not hold a %s where one is expected", of, semantic.GoType)
	}
	return fmt.Errorf("a row of the %s is not as it was asked for", of)
}
