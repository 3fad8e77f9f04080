package lake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
)

// Columns behind those of the source.
const (
	RunColumn       = "RunId"      // the run that published the row
	PartitionColumn = "Partition"  // of the row
	TimeColumn      = "ExportedAt" // when that run began
	// RestColumn is a JSON object of what the columns do not hold exactly: values that do not
	// fit their column, columns that are not shown, datetimes with a seventh digit.
	RestColumn = "RecordRest"
)

var lineage = []tvmexport.Column{
	{Name: RunColumn, Type: "string"},
	{Name: PartitionColumn, Type: "string"},
	{Name: TimeColumn, Type: "datetime"},
	{Name: RestColumn, Type: "string"},
}

// layout is where the values of a source's columns are in a table.
type layout struct {
	columns []tvmexport.Column // of the table
	at      map[string]int     // by name at the source
	types   map[string]string  // by name at the source
}

// layoutOf adds the columns of a source that a table lacks to its columns. A column that has
// another type in the table, or a name of the lineage, is called NAME_TYPE. added
// are the new columns.
func layoutOf(have, source []tvmexport.Column) (l layout, added []tvmexport.Column) {
	l = layout{columns: slices.Clone(have), at: map[string]int{}, types: map[string]string{}}
	find := func(name string) int {
		return slices.IndexFunc(l.columns, func(c tvmexport.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	reserved := func(name string) bool {
		return slices.ContainsFunc(lineage, func(c tvmexport.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	for _, c := range source {
		to := c
		if i := find(c.Name); reserved(c.Name) || i >= 0 && (l.columns[i].Type != c.Type || l.columns[i].Name != c.Name) {
			to.Name += "_" + c.Type
		}
		i := find(to.Name)
		if i < 0 {
			i = len(l.columns)
			l.columns = append(l.columns, to)
			added = append(added, to)
		}
		if l.columns[i] == to {
			l.at[c.Name], l.types[c.Name] = i, c.Type
		}
	}
	for _, c := range lineage {
		if find(c.Name) < 0 {
			l.columns = append(l.columns, c)
		}
	}
	return l, added
}

// index is the place of a column of the table.
func (l layout) index(name string) int {
	return slices.IndexFunc(l.columns, func(c tvmexport.Column) bool { return c.Name == name })
}

// extendedKey is the property of a table whose files do not all have the same columns.
const extendedKey = "tvmexport.extended"

// metadata is the description of a Delta table with these columns. base is its newest version.
func (f *folder) metadata(name string, base *delta.Snapshot, columns []tvmexport.Column) (*delta.Metadata, error) {
	schema, err := delta.SchemaOf(columns)
	if err != nil {
		return nil, f.fail("describe", name, name, err)
	}
	kept := delta.Interval(f.retention)
	m := &delta.Metadata{Name: name, Schema: schema, Configuration: map[string]string{
		delta.DeletedFileRetention: kept, delta.LogRetention: kept, "delta.checkpointInterval": "10",
	}}
	if _, ran := base.Txn(app(name)); ran || base.Metadata != nil && base.Metadata.Configuration[extendedKey] != "" {
		m.Configuration[extendedKey] = "true"
	}
	return m, nil
}

// syncSchema creates the Delta table of a table, or adds the columns that it lacks.
func (f *folder) syncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	if err := checkName("sync schema", t.Name); err != nil {
		return nil, err
	}
	base, err := f.snapshot(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	var added []tvmexport.Column
	existed := base.Exists()
	for {
		have, err := base.Columns()
		if err != nil {
			return nil, f.fail("sync schema", t.Name, t.Name, err)
		}
		l, more := layoutOf(have, tvmexport.NameableColumns(t.Visible()))
		if added = more; existed && len(more) == 0 {
			return nil, nil
		}
		m, err := f.metadata(t.Name, base, l.columns)
		if err != nil {
			return nil, err
		}
		at := base.Version
		done, err := f.table(t.Name).Commit(ctx, base, func(_ context.Context, s *delta.Snapshot) (delta.Transaction, error) {
			if s.Version != at {
				base = s
				return delta.Transaction{}, errMoved
			}
			return delta.Transaction{Metadata: m, Operation: "SET SCHEMA"}, nil
		})
		if err == nil {
			f.keep(t.Name, done.Snapshot)
			break
		}
		if err != errMoved {
			return nil, err
		}
		existed = existed || base.Exists()
	}
	if !existed {
		return nil, nil
	}
	changes := make([]string, len(added))
	for i, c := range added {
		changes[i] = fmt.Sprintf("column %s:%s was added to table %s", c.Name, c.Type, t.Name)
	}
	return changes, nil
}

var errMoved = fmt.Errorf("%w: the schema is read again", delta.ErrConflict)
