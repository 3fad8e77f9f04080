package kql

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// toScalar binds toscalar(): the first column of the first row, computed once
// a run.
func (b *binder) toScalar(n *syntax.Call, c site) (*expr, error) {
	if err := argumentCount(n, 1, 1); err != nil {
		return nil, err
	}
	if !b.isTabular(n.Args[0].X, c.scope, nil) {
		return b.independent(n.Args[0].X, c.scope, c.op)
	}
	p, err := b.tabular(n.Args[0].X, c.scope, "")
	if err != nil {
		return nil, err
	}
	if len(p.fields) == 0 {
		return nil, semantic(n.Pos(), "toscalar(): the table has no columns")
	}
	first := p.fields[0]
	p.finish([]ref{first.ref})
	return lateExpr(first.kind, &late{compute: func(x *execution) (value.Value, error) {
		result := value.Null(first.kind)
		err := p.run(x, func(f *frame) error {
			result = f.at(first.ref)
			return errDone
		})
		if err == errDone {
			err = nil
		}
		return result, err
	}}), nil
}

// firstColumn is the values in the first column of a table, as an array that is
// computed once a run, and their kind.
func (b *binder) firstColumn(x syntax.Expr, c site) (*expr, value.Kind, error) {
	p, err := b.tabular(x, c.scope, c.op)
	if err != nil {
		return nil, 0, err
	}
	if len(p.fields) == 0 {
		return nil, 0, semantic(x.Pos(), "'%s' operator: the table has no columns", c.op)
	}
	first := p.fields[0]
	p.finish([]ref{first.ref})
	return lateExpr(value.Dynamic, &late{compute: func(x *execution) (value.Value, error) {
		elements := []value.Value{}
		err := p.run(x, func(f *frame) error {
			elements = append(elements, f.at(first.ref))
			return nil
		})
		return value.NewArray(elements), err
	}}), first.kind, nil
}

// memberSet is the values of a table's first column, for in and similar operators.
type memberSet struct {
	keys   map[string]struct{}
	fold   bool
	buffer []byte

	// The text that was looked up last: the rows of a block often have the same.
	last  string
	found bool
	asked bool
}

// has says whether v, which is not null, is in the set.
func (m *memberSet) has(v value.Value) bool {
	if v.Kind() != value.String {
		_, found := m.keys[string(m.key(v))]
		return found
	}
	text := v.Text()
	if !m.asked || text != m.last {
		_, m.found = m.keys[string(m.key(v))]
		m.last, m.asked = text, true
	}
	return m.found
}

func (m *memberSet) key(v value.Value) []byte {
	if m.fold {
		m.buffer = v.AppendText(m.buffer[:0])
		for i, c := range m.buffer { // ASCII letters only, as all such operators do
			if 'A' <= c && c <= 'Z' {
				m.buffer[i] = c + 'a' - 'A'
			}
		}
	} else {
		m.buffer = v.AppendKey(m.buffer[:0])
	}
	return m.buffer
}

// listOfTable binds `x in (table)` and similar operators. A null is in no table.
func (b *binder) listOfTable(n *syntax.List, left *expr, c site) (*expr, error) {
	list, kind, err := b.firstColumn(n.List[0], c)
	if err != nil {
		return nil, err
	}
	if n.Op == "has_any" || n.Op == "has_all" {
		bound, err := scalar.OperatorList(n.Op, left.arg(), []scalar.Arg{list.arg()})
		if err != nil {
			return nil, in(n.Pos(), err)
		}
		return apply(c.row.layout, n.Op, bound, []*expr{left, list}, false), nil
	}
	if _, err := scalar.OperatorList(n.Op, left.arg(), []scalar.Arg{{Kind: kind}}); err != nil {
		return nil, in(n.Pos(), err)
	}
	return b.membership(n.Op, left, list), nil
}

// membership looks values up in a set that is made once a run.
func (b *binder) membership(op string, left, list *expr) *expr {
	negated := op[0] == '!'
	fold := strings.HasSuffix(op, "~")
	build := &late{} // only its identity counts
	e := &expr{kind: value.Bool, op: op + " table", args: []*expr{left, list}, reads: left.reads, volatile: left.volatile, cost: left.cost + 10}
	e.eval = func(f *frame) value.Value {
		set, ok := f.x.sets[build]
		if !ok {
			set = &memberSet{keys: map[string]struct{}{}, fold: fold}
			elements, _ := list.eval(f).Array()
			for _, v := range elements {
				if !v.IsNull() {
					set.keys[string(set.key(v))] = struct{}{}
				}
			}
			f.x.sets[build] = set
		}
		v := left.eval(f)
		found := !v.IsNull() && set.has(v)
		return value.NewBool(found != negated)
	}
	return e
}
