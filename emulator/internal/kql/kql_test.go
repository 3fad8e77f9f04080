package kql_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// catalog is tables and functions by name; db.name for another database.
type catalog struct {
	tables    map[string]kql.Relation
	functions map[string]kql.Function
}

func key(db, name string) string {
	if db == "" || db == "Home" {
		return name
	}
	return db + "." + name
}

func (c catalog) Table(db, name string) (kql.Relation, bool) {
	r, ok := c.tables[key(db, name)]
	return r, ok
}

func (c catalog) Function(db, name string) (kql.Function, bool) {
	f, ok := c.functions[key(db, name)]
	return f, ok
}

func (c catalog) Tables(db string) []string {
	var names []string
	for n := range c.tables {
		if !strings.Contains(n, ".") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// now is the time of all queries in tests.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func environment(c kql.Catalog) kql.Environment {
	return kql.Environment{Catalog: c, Database: "Home", Now: now}
}

// table runs a datatable expression into a relation.
func table(t testing.TB, text string) *kql.Table {
	t.Helper()
	q, err := kql.Compile(text, environment(nil))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var rows [][]value.Value
	for row, err := range q.Statements[0].Rows(context.Background()) {
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rows = append(rows, slices.Clone(row))
	}
	made, err := kql.NewTable(q.Statements[0].Columns(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// schema is `a:long b:string`.
func schema(columns []value.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.Name + ":" + c.Kind.String()
	}
	return strings.Join(parts, " ")
}

// text is a row as `1 | x | null`.
func text(row []value.Value) string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = v.String()
		if v.IsNull() {
			cells[i] = "null"
		}
	}
	return strings.Join(cells, " | ")
}

// answer is the schema and the rows of a query's last statement, a line each.
func answer(c kql.Catalog, query string) ([]string, error) {
	q, err := kql.Compile(query, environment(c))
	if err != nil {
		return nil, err
	}
	if len(q.Statements) == 0 {
		return nil, errors.New("no statement")
	}
	return rows(q.Statements[len(q.Statements)-1])
}

// answers gives the schema and the rows of each statement, a line each.
func answers(c kql.Catalog, query string) ([]string, error) {
	q, err := kql.Compile(query, environment(c))
	if err != nil {
		return nil, err
	}
	var list []string
	for _, s := range q.Statements {
		lines, err := rows(s)
		if err != nil {
			return list, err
		}
		list = append(list, strings.Join(lines, "\n"))
	}
	return list, nil
}

func rows(s *kql.Statement) ([]string, error) {
	lines := []string{schema(s.Columns())}
	for row, err := range s.Rows(context.Background()) {
		if err != nil {
			return lines, err
		}
		lines = append(lines, text(row))
	}
	return lines, nil
}

// check runs a query and compares its schema and rows; want is indented lines.
func check(t *testing.T, c kql.Catalog, query, want string) {
	t.Helper()
	if known, ok := c.(catalog); ok {
		checkOnce(t, strictly(known), query, want)
	}
	checkOnce(t, c, query, want)
}

func checkOnce(t *testing.T, c kql.Catalog, query, want string) {
	t.Helper()
	got, err := answer(c, query)
	if err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s", query, diff)
	}
}

// queryTest is a query and what it answers: the schema, then the rows.
type queryTest struct{ name, query, want string }

func checkAll(t *testing.T, c kql.Catalog, tests []queryTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, c, tt.query, tt.want) })
	}
}

// mapOf makes a table of each datatable expression.
func mapOf(t testing.TB, texts map[string]string) map[string]kql.Relation {
	t.Helper()
	made := map[string]kql.Relation{}
	for name, text := range texts {
		made[name] = table(t, text)
	}
	return made
}
