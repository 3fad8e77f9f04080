package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// view is the columns of a table whose schema has drifted: each a column of
// the table itself, or one of nothing, with what has become of its values.
type view []viewed

type viewed struct {
	name  string
	kind  value.Kind
	from  int // column of the table itself; -1 for none
	steps []viewStep
}

// viewStep makes a value of another; roll is of the row and the same for rows
// with the same first column.
type viewStep func(v value.Value, roll dice) value.Value

// undrifted is the view that shows columns as they are.
func undrifted(columns []value.Column) view {
	v := make(view, 0, len(columns))
	for i, c := range columns {
		v = append(v, viewed{name: c.Name, kind: c.Kind, from: i})
	}
	return v
}

func (v view) find(name string) int {
	return slices.IndexFunc(v, func(c viewed) bool { return c.name == name })
}

func (v view) schema() []value.Column {
	columns := make([]value.Column, 0, len(v))
	for _, c := range v {
		columns = append(columns, value.Column{Name: c.name, Kind: c.kind})
	}
	return columns
}

// then adds a step without touching those of other views.
func (c *viewed) then(s viewStep) { c.steps = append(slices.Clone(c.steps), s) }

// rowKey is the column whose text the rolls of a row follow from: it names
// what the row is about, such as a device.
const rowKey = 0

// scan reads the table through the view. Tables of current state have no
// hidden columns.
func (v view) scan(ctx context.Context, s *state, t source, r kql.Request) iter.Seq2[[]value.Value, error] {
	base, _ := t.schema()
	below := kql.Request{Need: make([]bool, len(base))}
	var shown []int // columns that are read
	for i, c := range v {
		if r.Need != nil && !(i < len(r.Need) && r.Need[i]) {
			continue
		}
		shown = append(shown, i)
		if c.from >= 0 {
			below.Need[c.from] = true
		}
		if len(c.steps) > 0 {
			below.Need[rowKey] = true
		}
	}
	for _, w := range r.Where {
		if w.Column >= 0 && w.Column < len(v) && v[w.Column].from >= 0 && len(v[w.Column].steps) == 0 {
			w.Column = v[w.Column].from
			below.Where = append(below.Where, w)
		}
	}
	return func(yield func([]value.Value, error) bool) {
		row := make([]value.Value, len(v))
		for i, c := range v {
			row[i] = value.Null(c.kind)
		}
		for from, err := range t.scan(ctx, s, below) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, i := range shown {
				row[i] = v[i].of(from, s.dice)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// of is the column's value in a row of the table itself.
func (c *viewed) of(row []value.Value, tenant dice) value.Value {
	x := value.Null(c.kind)
	if c.from >= 0 {
		x = row[c.from]
	}
	if len(c.steps) == 0 {
		return x
	}
	roll := tenant.of(row[rowKey].Text())
	for _, step := range c.steps {
		x = step(x, roll)
	}
	return x
}
