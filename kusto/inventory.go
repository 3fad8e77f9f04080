package kusto

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

// inventory is what a database holds.
type inventory struct {
	tables    map[string]tableInfo
	functions map[string]functionInfo
	views     map[string]bool // materialized views
}

// shapes are the columns of all tables.
func (inv inventory) shapes() map[string][]kql.Column {
	out := make(map[string][]kql.Column, len(inv.tables))
	for name, t := range inv.tables {
		out[name] = t.columns
	}
	return out
}

// hasTable tells whether a table or a materialized view has the name.
func (inv inventory) hasTable(name string) bool {
	_, is := inv.tables[name]
	return is || inv.views[name]
}

type tableInfo struct {
	columns []kql.Column
	folder  string
}

type functionInfo struct{ folder, doc string }

// inventory reads all tables in one command; functions too if asked for.
func (c *Client) inventory(ctx context.Context, op string, functions bool) (inventory, error) {
	c.mu.Lock()
	forgotten := c.forgotten
	c.mu.Unlock()
	s := statement{op: op, again: true, one: true, text: ".show database " + kql.Entity(c.database) + " schema as json"}
	rows, err := c.command(ctx, s)
	if err != nil {
		return inventory{}, err
	}
	texts, err := readRows(s, rows, func(r *reader) string { return r.text("DatabaseSchema") })
	if err != nil {
		return inventory{}, err
	}
	inv := inventory{tables: map[string]tableInfo{}, functions: map[string]functionInfo{}, views: map[string]bool{}}
	for _, text := range texts {
		if err := inv.read(c.database, text); err != nil {
			return inventory{}, refused(op, "", err, "")
		}
	}
	c.mu.Lock()
	if c.forgotten == forgotten { // else a table may have been altered after it was read
		for name, t := range inv.tables {
			c.shapes[name] = t.columns
		}
	}
	c.mu.Unlock()
	if functions {
		err = c.readFunctions(ctx, op, inv)
	}
	return inv, err
}

// read takes the JSON of .show database schema as json
// (https://learn.microsoft.com/kusto/management/show-schema-database).
func (inv inventory) read(database, text string) error {
	type object struct {
		Folder         string
		OrderedColumns []struct{ Name, Type, CslType string }
	}
	var schema struct {
		Databases map[string]struct {
			Tables            map[string]object
			MaterializedViews map[string]json.RawMessage
			Functions         map[string]struct{ Folder, DocString string }
		}
	}
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		return fmt.Errorf("read the schema of database %s: %w", database, err)
	}
	for _, db := range schema.Databases {
		for name, t := range db.Tables {
			columns := make([]kql.Column, len(t.OrderedColumns))
			for i, c := range t.OrderedColumns {
				columns[i] = kql.Column{Name: c.Name, Kind: kustoType(firstOf(c.CslType, c.Type))}
			}
			inv.tables[name] = tableInfo{columns: columns, folder: t.Folder}
		}
		for name := range db.MaterializedViews {
			inv.views[name] = true
		}
		for name, f := range db.Functions {
			inv.functions[name] = functionInfo{folder: f.Folder, doc: f.DocString}
		}
	}
	return nil
}

// kustoType is the name of a type in the query language, from any name that the service gives it.
func kustoType(name string) string {
	switch strings.ToLower(strings.TrimPrefix(name, "System.")) {
	case "object", "dynamic":
		return "dynamic"
	case "string":
		return "string"
	case "datetime", "date":
		return "datetime"
	case "int64", "long":
		return "long"
	case "int32", "int":
		return "int"
	case "sbyte", "boolean", "bool":
		return "bool"
	case "double", "real":
		return "real"
	case "timespan", "time":
		return "timespan"
	case "guid", "uuid", "uniqueid":
		return "guid"
	case "data.sqltypes.sqldecimal", "sqldecimal", "decimal":
		return "decimal"
	}
	return name
}

func (c *Client) readFunctions(ctx context.Context, op string, inv inventory) error {
	s := statement{op: op, again: true, text: ".show functions | project Name, Folder, DocString"}
	rows, err := c.command(ctx, s)
	if err != nil {
		return err
	}
	_, err = readRows(s, rows, func(r *reader) string {
		name := r.text("Name")
		inv.functions[name] = functionInfo{folder: r.text("Folder"), doc: r.text("DocString")}
		return name
	})
	return err
}

// columns are those of a table, as last read.
func (c *Client) columns(ctx context.Context, table string) ([]kql.Column, error) {
	c.mu.Lock()
	known, ok := c.shapes[table]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	inv, err := c.inventory(ctx, "read schema", false)
	if err != nil {
		return nil, err
	}
	t, ok := inv.tables[table]
	if !ok {
		return nil, missingTable("read schema", "", table)
	}
	return t.columns, nil
}

// errNoTable: a table that is asked for is not there.
var errNoTable = errors.New("in the database")

func missingTable(op, of, table string) error {
	return refused(op, of, fmt.Errorf("there is no table %s %w", table, errNoTable), initHint(of))
}
