package assessment

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

// Columns implements tvmexport.Source: the columns of the catalogue, and those that
// answers had in addition. The APIs tell no schema.
func (c *Client) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	info, ok := catalog.Lookup(table)
	if _, known := sets[table]; !ok || !known {
		return nil, unknownTable("schema", table)
	}
	return append(slices.Clone(info.Columns), c.learned.of(table)...), nil
}

// Schemas implements tvmexport.Source.
func (c *Client) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	out := make(map[string][]tvmexport.Column, len(tables))
	for _, table := range tables {
		columns, err := c.Columns(ctx, table)
		switch {
		case err == nil:
			out[table] = columns
		case tvmexport.CauseOf(err) != tvmexport.Rejected:
			return nil, err
		}
	}
	return out, nil
}

// learned is the columns that answers had and the catalogue does not, by table. All
// answers of a table declare them from then on, until the next invocation, also those that lack them: a column is
// not gone because a file has no value of it.
type learned struct {
	mu      sync.Mutex
	columns map[string][]tvmexport.Column // sorted by name
}

// forget forgets all columns: a member that the service no longer has is not in a table for
// as long as the process lives.
func (l *learned) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.columns = nil
}

func (l *learned) of(table string) []tvmexport.Column {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.columns[table])
}

// add adds the columns of an answer and returns all. A column whose values have several
// types is dynamic.
func (l *learned) add(table string, found []tvmexport.Column) []tvmexport.Column {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.columns == nil {
		l.columns = map[string][]tvmexport.Column{}
	}
	list := l.columns[table]
	for _, f := range found {
		i, known := slices.BinarySearchFunc(list, f, func(a, b tvmexport.Column) int {
			return strings.Compare(a.Name, b.Name)
		})
		switch {
		case !known:
			list = slices.Insert(slices.Clone(list), i, f)
		case list[i].Type != f.Type:
			list = slices.Clone(list)
			list[i].Type = "dynamic"
		}
	}
	l.columns[table] = list
	return slices.Clone(list)
}
