package kql

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/kql/value"
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

// memberSet is the values of a table's first column, for in and its like.
type memberSet struct {
	keys   map[string]struct{}
	fold   bool
	buffer []byte
}

func (m *memberSet) key(v value.Value) []byte {
	if m.fold {
		m.buffer = append(m.buffer[:0], strings.ToLower(v.String())...)
	} else {
		m.buffer = v.AppendKey(m.buffer[:0])
	}
	return m.buffer
}

// listOfTable binds `x in (table)` and its like. A null is in no table.
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
	e := &expr{kind: value.Bool, op: "in table", args: []*expr{left}, reads: left.reads, volatile: left.volatile, cost: left.cost + 10}
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
		found := false
		if !v.IsNull() {
			_, found = set.keys[string(set.key(v))]
		}
		return value.NewBool(found != negated)
	}
	return e
}

// shared is a table that materialize() keeps for all its uses in a run.
type shared struct {
	p    *pipeline
	refs []ref
}

// sharedKey tells the uses of one materialize() from those of another: it is
// the same text seen from the same names.
type sharedKey struct {
	call  *syntax.Call
	scope *scope
}

func (b *binder) materialize(n *syntax.Call, s *scope) (*pipeline, error) {
	if err := argumentCount(n, 1, 1); err != nil {
		return nil, err
	}
	key := sharedKey{n, s}
	kept, ok := b.kept[key]
	if !ok {
		p, err := b.tabular(n.Args[0].X, s, "")
		if err != nil {
			return nil, err
		}
		kept = &shared{p: p, refs: p.refs()}
		for _, h := range p.hidden {
			kept.refs = append(kept.refs, h.ref)
		}
		p.finish(kept.refs)
		b.kept[key] = kept
	}
	out := newPipeline(&sharedSource{kept}, kept.p.columns())
	for i, h := range kept.p.hidden {
		out.hidden = append(out.hidden, field{name: h.name, kind: h.kind, ref: ref(len(out.fields) + i)})
	}
	out.width = len(kept.refs)
	out.serialized = kept.p.serialized
	return out, nil
}

// sharedSource gives the rows of a shared table, which are read when they are
// first asked for.
type sharedSource struct{ *shared }

func (*sharedSource) require([]bool) {}

func (s *sharedSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	store, ok := x.shared[s.shared]
	if !ok {
		store = &rowStore{width: len(s.refs)}
		err := s.p.run(x, func(f *frame) error {
			row := store.add()
			for i, r := range s.refs {
				row[i] = f.at(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		x.shared[s.shared] = store
	}
	return store.each(x, yield)
}
