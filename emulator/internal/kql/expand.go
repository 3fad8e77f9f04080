package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// expandStep gives one row for each element of arrays or bags, side by side
// (https://learn.microsoft.com/kusto/query/mv-expand-operator).
type expandStep struct {
	items  []expansion
	arrays bool  // bags become [key, value]
	index  int   // slot of the item's index, or -1
	limit  *expr // nil for none
}

type expansion struct {
	e    *expr
	kind value.Kind
	slot int
}

func (b *binder) mvExpand(p *pipeline, n *syntax.MvExpand, c site) error {
	step := &expandStep{arrays: n.Arrays, index: -1}
	fields := slices.Clone(p.fields)
	put := func(f field) {
		if i := slices.IndexFunc(fields, func(g field) bool { return g.name == f.name }); i >= 0 {
			fields[i] = f
		} else {
			fields = append(fields, f)
		}
	}
	for _, item := range n.Items {
		e, err := b.scalar(item.X, c)
		if err != nil {
			return err
		}
		if e.kind != value.Dynamic {
			return semantic(item.Pos(), "'mv-expand' operator: expected a dynamic expression, found %v", e.kind)
		}
		x := expansion{e: e, kind: item.Kind}
		if x.kind == 0 {
			x.kind = value.Dynamic
		}
		x.slot = p.lay.slot(x.kind)
		step.items = append(step.items, x)
		name := item.Name
		if name == "" {
			name = nameOf(item.X, c)
		}
		if name == "" {
			name = newNamerOf(fields).free()
		}
		put(field{name: name, kind: x.kind, ref: slotRef(x.slot)})
	}
	if n.ItemIndex != "" {
		step.index = p.lay.slot(value.Long)
		fields = append(fields, field{name: newNamerOf(fields).unique(n.ItemIndex), kind: value.Long, ref: slotRef(step.index)})
	}
	if n.Limit != nil {
		var err error
		if step.limit, err = b.count(n.Limit, c.scope, c.op); err != nil {
			return err
		}
	}
	p.fields = fields
	p.steps = append(p.steps, step)
	return nil
}

func newNamerOf(fields []field) *namer {
	n := newNamer()
	for _, f := range fields {
		n.declare(f.name)
	}
	return n
}

func (s *expandStep) prune(u *used) {
	for _, x := range s.items {
		u.mark(x.e.reads...)
	}
}

func (s *expandStep) open(f *frame, next func() error) func() error {
	limit := int64(1) << 31
	var err error
	if s.limit != nil {
		limit, err = number(f, s.limit)
	}
	lists := make([][]value.Value, len(s.items))
	return func() error {
		if err != nil {
			return err
		}
		rows := 0
		for i, x := range s.items {
			lists[i] = s.elements(x.e.eval(f), lists[i][:0])
			rows = max(rows, len(lists[i]))
		}
		if f.err != nil {
			return f.err
		}
		for at := range int(min(int64(rows), limit)) {
			for i, x := range s.items {
				v := value.Null(x.kind)
				if at < len(lists[i]) {
					v = cast(lists[i][at], x.kind)
				}
				f.ext[x.slot] = v
			}
			if s.index >= 0 {
				f.ext[s.index] = value.NewLong(int64(at))
			}
			if err := next(); err != nil {
				return err
			}
		}
		return nil
	}
}

// empty says whether the frame's row expands to nothing.
func (s *expandStep) empty(f *frame) bool {
	for _, x := range s.items {
		if n, ok := x.e.eval(f).Len(); !ok || n > 0 {
			return false
		}
	}
	return true
}

// elements is what a dynamic expands to: null and a scalar to themselves.
func (s *expandStep) elements(v value.Value, list []value.Value) []value.Value {
	if elements, ok := v.Array(); ok {
		return append(list, elements...)
	}
	slots, ok := v.Bag()
	if !ok {
		return append(list, v)
	}
	for _, p := range slots {
		if s.arrays {
			list = append(list, value.NewArray([]value.Value{value.NewString(p.Name), p.Value}))
		} else {
			list = append(list, value.NewBag([]value.Property{p}))
		}
	}
	return list
}

// cast brings an element to a type without reading text: what is of another
// sort is null. To a string everything can be brought.
func cast(v value.Value, k value.Kind) value.Value {
	if k == value.Dynamic {
		return value.NewDynamic(v)
	}
	if k == value.String {
		return scalar.Convert(v, k)
	}
	inner, ok := v.Scalar()
	if !ok {
		return value.Null(k)
	}
	if inner.Kind() == k || inner.Kind().IsNumeric() && k.IsNumeric() {
		return scalar.Convert(inner, k)
	}
	return value.Null(k)
}
