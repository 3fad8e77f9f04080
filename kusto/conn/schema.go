package conn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Schema is what a database holds.
type Schema struct {
	Tables    map[string]TableInfo
	Functions map[string]FunctionInfo
	Views     map[string]bool // materialized views
}

// Shapes are the columns of all tables.
func (inv Schema) Shapes() map[string][]kql.Column {
	out := make(map[string][]kql.Column, len(inv.Tables))
	for name, t := range inv.Tables {
		out[name] = t.Columns
	}
	return out
}

// HasTable tells whether a table or a materialized view has the name.
func (inv Schema) HasTable(name string) bool {
	_, is := inv.Tables[name]
	return is || inv.Views[name]
}

// TableInfo is what the schema says of a table.
type TableInfo struct {
	Columns []kql.Column
	Folder  string
}

// FunctionInfo is what the schema says of a stored function. The text is its
// parameters and its body.
type FunctionInfo struct{ Folder, Doc, Text string }

// Schema reads all tables in one command; functions too if asked for. Who asks at about
// the same time shares the answer and must not change it.
func (c *Conn) Schema(ctx context.Context, op string, functions bool) (Schema, error) {
	return c.schemas.Ask(ctx, wantedSchema{op, functions})
}

// wantedSchema is what of the schema is asked for.
type wantedSchema struct {
	op        string
	functions bool
}

// schemaTogether reads the schema once for all.
func (c *Conn) schemaTogether(ctx context.Context, list []wantedSchema) []gather.Reply[Schema] {
	want := wantedSchema{op: list[0].op}
	for _, w := range list {
		want.functions = want.functions || w.functions
	}
	inv, err := c.readSchema(ctx, want)
	if err != nil {
		return FailedTogether[Schema](err, want.op, len(list), func(i int) Statement { return Statement{Op: list[i].op} })
	}
	replies := make([]gather.Reply[Schema], len(list))
	for i := range replies {
		replies[i] = gather.Done(inv)
	}
	return replies
}

func (c *Conn) readSchema(ctx context.Context, want wantedSchema) (Schema, error) {
	c.mu.Lock()
	forgotten := c.forgotten
	c.mu.Unlock()
	s := Statement{Op: want.op, Idempotent: true, One: true, Text: ".show database " + kql.Entity(c.Database) + " schema as json"}
	rows, err := c.Command(ctx, s)
	if err != nil {
		return Schema{}, err
	}
	texts, err := ReadRows(s, rows, func(r *Reader) string { return r.Text("DatabaseSchema") })
	if err != nil {
		return Schema{}, err
	}
	inv := Schema{Tables: map[string]TableInfo{}, Functions: map[string]FunctionInfo{}, Views: map[string]bool{}}
	for _, text := range texts {
		if err := inv.read(c.Database, text); err != nil {
			return Schema{}, RefusedError(want.op, "", err, "")
		}
	}
	c.mu.Lock()
	if c.forgotten == forgotten { // else a table may have been altered after it was read
		for name, t := range inv.Tables {
			c.shapes[name] = t.Columns
		}
	}
	c.mu.Unlock()
	if want.functions {
		err = c.readFunctions(ctx, want.op, inv)
	}
	return inv, err
}

// read takes the JSON of .show database schema as json
// (https://learn.microsoft.com/kusto/management/show-schema-database).
func (inv Schema) read(database, text string) error {
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
			inv.Tables[name] = TableInfo{Columns: columns, Folder: t.Folder}
		}
		for name := range db.MaterializedViews {
			inv.Views[name] = true
		}
		for name, f := range db.Functions {
			inv.Functions[name] = FunctionInfo{Folder: f.Folder, Doc: f.DocString} // readFunctions adds the text
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

func (c *Conn) readFunctions(ctx context.Context, op string, inv Schema) error {
	s := Statement{Op: op, Idempotent: true, Text: `.show functions | project Name, Folder, Text = strcat(Parameters, " ", Body)`}
	rows, err := c.Command(ctx, s)
	if err != nil {
		return err
	}
	_, err = ReadRows(s, rows, func(r *Reader) string {
		name := r.Text("Name")
		inv.Functions[name] = FunctionInfo{Folder: r.Text("Folder"), Doc: inv.Functions[name].Doc, Text: r.Text("Text")}
		return name
	})
	return err
}

// Columns are those of a table, as last read.
func (c *Conn) Columns(ctx context.Context, table string) ([]kql.Column, error) {
	c.mu.Lock()
	known, ok := c.shapes[table]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	inv, err := c.Schema(ctx, "read schema", false)
	if err != nil {
		return nil, err
	}
	t, ok := inv.Tables[table]
	if !ok {
		return nil, MissingTable("read schema", "", table)
	}
	return t.Columns, nil
}

// SetColumns records the columns of a table, as if they had been read.
func (c *Conn) SetColumns(table string, columns []kql.Column) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shapes[table] = columns
}

// ForgetTable drops what is known of a table's columns.
func (c *Conn) ForgetTable(table string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.shapes, table)
	c.forgotten++
}

// ForgetTables drops what is known of all tables' columns.
func (c *Conn) ForgetTables() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.shapes)
	c.forgotten++
}

// ErrNoTable says that the database does not have a requested table.
var ErrNoTable = errors.New("in the database")

// MissingTable is the error for a table that the database does not have.
func MissingTable(op, of, table string) error {
	return RefusedError(op, of, fmt.Errorf("there is no table %s %w", table, ErrNoTable), InitHint(of))
}
