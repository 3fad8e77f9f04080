package hunting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// Columns implements tvmexport.Source. The answer holds one row, of a column
// that the query adds: an answer without them is not that of the query.
func (c *Client) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	t := tvmexport.Table{Name: table}
	if err := check("schema", t); err != nil {
		return nil, err
	}
	var columns []tvmexport.Column
	mark := newMark()
	q := question{op: "schema", table: table, text: columnsQuery(table, mark)}
	_, err := c.ask(ctx, q, func(b *body) (err error) {
		columns, err = declared(b, mark)
		return err
	})
	if err == nil && len(columns) == 0 {
		err = &tvmexport.Error{Op: "schema", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: errors.New("the service returns no schema")}
	}
	return columns, err
}

// columnsQuery asks for no rows of a table, and for one row with the word mark
// in a column of its own, whose name no table has.
func columnsQuery(table, mark string) string {
	return fmt.Sprintf("union (%s\n| take 0), (print %s = %s)", name(table), markedColumn(mark), text(mark))
}

// markedColumn is the column in which the answer to a columnsQuery holds its mark.
func markedColumn(mark string) string { return proofColumn + mark[:len(mark)-1] }

// declared are the columns that the answer to a columnsQuery declares.
func declared(b *body, mark string) ([]tvmexport.Column, error) {
	s := newSchema(nil, nil)
	rows := 0
	err := b.envelope(s.declare, func(text []byte) (int, error) {
		if text[0] != '{' {
			return 0, unprovenf("a row of it is not an object")
		}
		m := wire.MembersOf(text)
		for {
			if _, ok := m.Next(nil); !ok {
				break
			}
			if string(m.Key) == markedColumn(mark) {
				if said, err := wireText(m.Value); err != nil || said != mark {
					return 0, unprovenf("it answers another query")
				}
				rows++
			}
		}
		if m.Fault < 0 {
			return m.Fault, nil
		}
		return m.End, nil
	})
	if err != nil {
		return nil, err
	}
	last := len(s.declared) - 1
	switch {
	case rows != 1:
		return nil, unprovenf("it contains its proof row %d times, not once: it was truncated, or answers another query", rows)
	case last < 0:
		return nil, nil
	case s.declared[last].Name != markedColumn(mark):
		return nil, unprovenf("its schema ends before the last column of the query")
	}
	return s.declared[:last], distinct(s.declared)
}

// distinct says which name columns have in common; nil if none.
func distinct(columns []tvmexport.Column) error {
	met := make(map[string]bool, len(columns))
	for _, c := range columns {
		if met[c.Name] {
			return unprovenf("its schema has two columns with the same name")
		}
		met[c.Name] = true
	}
	return nil
}

// Schemas implements tvmexport.Source: one call by getschema, and where the
// service refuses that, one for each table by a query without rows.
func (c *Client) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	for _, t := range tables {
		if err := check("schema", tvmexport.Table{Name: t}); err != nil {
			return nil, err
		}
	}
	out := make(map[string][]tvmexport.Column, len(tables))
	for len(tables) > 1 {
		mark := newMark()
		q := question{op: "schema", text: schemasQuery(tables, mark)}
		_, err := c.ask(ctx, q, func(b *body) (err error) {
			var rows []schemaRow
			if err := b.schemaRows(&rows); err != nil {
				return err
			}
			out, err = schemasOf(rows, mark)
			return err
		})
		if err == nil {
			return out, nil
		}
		if !refused(err) {
			return nil, err
		}
		if name := namedTable(err, tables); name != "" {
			c.fallback(name, "requesting the columns of the other tables without it", err)
			tables = slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return t == name })
			continue
		}
		c.fallback(strings.Join(tables, ", "), "requesting the columns of each table separately", err)
		break
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

// namedTable is the table that a refusal says does not exist; "" if it names none.
func namedTable(err error, tables []string) string {
	m := named.FindStringSubmatch(err.Error())
	if m == nil || !missing(err) || !slices.Contains(tables, m[1]) {
		return ""
	}
	return m[1]
}

// schemasQuery asks for the columns of tables, and for the number of them
// behind the word mark
// (https://learn.microsoft.com/kusto/query/getschema-operator).
func schemasQuery(tables []string, mark string) string {
	parts := make([]string, len(tables))
	for i, t := range tables {
		parts[i] = fmt.Sprintf("(%s | getschema | project Table = %s, ColumnName, ColumnOrdinal, ColumnType)", name(t), text(t))
	}
	return fmt.Sprintf("let columns = union %s;\nunion columns, (columns\n| summarize Columns = count()\n| project Table = strcat(%s, tostring(Columns)))",
		strings.Join(parts, ",\n"), text(mark))
}

// schemaRow is a column as getschema shows it.
type schemaRow struct {
	Table         string
	ColumnName    string
	ColumnOrdinal ordinal
	ColumnType    string // by its Kusto name
}

// schemasOf are the columns of each table in the answer to a schemasQuery.
func schemasOf(rows []schemaRow, mark string) (map[string][]tvmexport.Column, error) {
	said := ""
	of := map[string][]schemaRow{}
	columns := 0
	for _, r := range rows {
		if n, ok := strings.CutPrefix(r.Table, mark); ok {
			if said != "" {
				return nil, unprovenf("it contains its proof twice")
			}
			said = n
			continue
		}
		of[r.Table] = append(of[r.Table], r)
		columns++
	}
	if said == "" {
		return nil, unprovenf("it has %d columns and lacks its proof row: it was truncated, or answers another query", columns)
	}
	if said != strconv.Itoa(columns) {
		return nil, unprovenf("it has %d columns, but its proof says otherwise", columns)
	}
	out := make(map[string][]tvmexport.Column, len(of))
	for table, rows := range of {
		slices.SortStableFunc(rows, func(a, b schemaRow) int { return cmp.Compare(a.ColumnOrdinal, b.ColumnOrdinal) })
		list := make([]tvmexport.Column, len(rows))
		for i, r := range rows {
			if r.ColumnName == "" || r.ColumnOrdinal != ordinal(i) {
				return nil, unprovenf("it does not have each column of a table once")
			}
			kind, ok := wireTypes[strings.ToLower(r.ColumnType)]
			if !ok {
				kind = "dynamic"
			}
			list[i] = tvmexport.Column{Name: r.ColumnName, Type: kind}
		}
		if err := distinct(list); err != nil {
			return nil, err
		}
		out[table] = list
	}
	return out, nil
}

// ordinal is the place of a column; null, which the row with the proof has, is -1.
type ordinal int

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordinal) UnmarshalJSON(b []byte) error {
	n, err := wireCount(b)
	switch {
	case err != nil:
		return err
	case !n.known:
		*o = -1
	default:
		*o = ordinal(min(n.n, math.MaxInt32))
	}
	return nil
}

func (b *body) schemaRows(rows *[]schemaRow) error { return rowsInto(b, "schema", rows) }

// rowsInto reads rows that are small and few into values.
func rowsInto[T any](b *body, of string, rows *[]T) error {
	return b.envelope(func([]byte) error { return nil }, func(text []byte) (int, error) {
		s := wire.Scan{Text: text}
		end := s.Value(0, 0)
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
	return fmt.Errorf("a row of the %s does not match the request", of)
}
