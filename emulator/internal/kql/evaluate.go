package kql

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// evaluate binds the plugin bag_unpack; others are refused
// (https://learn.microsoft.com/kusto/query/bag-unpack-plugin).
func (b *binder) evaluate(p *pipeline, n *syntax.Evaluate, before *syntax.Pipe, c site) error {
	if n.Call.Name != "bag_unpack" {
		return unsupported(n.Pos(), "The plugin %s is not supported here.", n.Call.Name)
	}
	args, err := unpackArguments(n)
	if err != nil {
		return err
	}
	id, ok := n.Call.Args[0].X.(*syntax.Ident)
	if !ok {
		return semantic(n.Pos(), "bag_unpack(): argument #1 must be a column")
	}
	bag, ok := p.find(id.Name)
	if !ok {
		return unresolved(id.Pos(), c.op, "scalar expression", id.Name)
	}
	if bag.kind != value.Dynamic {
		return semantic(id.Pos(), "bag_unpack(): argument #1 expected to be a dynamic expression")
	}
	prefix := args.prefix
	rest := slices.DeleteFunc(slices.Clone(p.fields), func(f field) bool { return f.name == bag.name })
	if n.Schema != nil {
		return b.unpackAs(p, n.Schema, bag, prefix, rest)
	}
	columns, err := b.bagColumns(before, bag.name, prefix, c.scope)
	if err != nil {
		return err
	}
	for _, column := range columns {
		if slices.Contains(args.ignored, strings.TrimPrefix(column.Name, prefix)) {
			continue
		}
		i := slices.IndexFunc(rest, func(f field) bool { return f.name == column.Name })
		switch {
		case i < 0:
			rest = append(rest, unpackColumn(p, bag, prefix, column))
		case args.conflict == "replace_source":
			rest[i] = unpackColumn(p, bag, prefix, column)
		case args.conflict == "error":
			return semantic(n.Pos(), "evaluate bag_unpack(): the column '%s' exists already. Give a prefix as second argument", column.Name)
		}
	}
	p.fields = rest
	return nil
}

// unpackAs gives the columns that the text names: the input's by themselves,
// others out of the bag. With * the input's come first.
func (b *binder) unpackAs(p *pipeline, schema *syntax.TypeOf, bag field, prefix string, rest []field) error {
	var fields []field
	if schema.Open {
		fields = rest
	}
	for _, column := range schema.Columns {
		i := slices.IndexFunc(rest, func(f field) bool { return f.name == column.Name })
		switch {
		case i < 0:
			fields = append(fields, unpackColumn(p, bag, prefix, column))
		case schema.Open:
			return semantic(schema.Pos(), "evaluate bag_unpack(): the column '%s' exists already", column.Name)
		default:
			fields = append(fields, p.compute(column.Name, converted(p.layout, columnExpr(rest[i]), column.Kind)))
		}
	}
	p.fields = fields
	return nil
}

// unpackColumn computes a slot of the bag.
func unpackColumn(p *pipeline, bag field, prefix string, column value.Column) field {
	name := strings.TrimPrefix(column.Name, prefix)
	kind := column.Kind
	slot := scalar.Bound{Kind: kind, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
		v, ok := a[0].Field(name)
		if !ok {
			return value.Null(kind), nil
		}
		return scalar.Convert(v, kind), nil
	}}
	return p.compute(column.Name, apply(p.layout, "", slot, []*expr{columnExpr(bag)}, false))
}

// bagColumns reads the table to learn which slots its bags have: in the order
// of their names, with the type that all values have, or dynamic.
func (b *binder) bagColumns(before *syntax.Pipe, name, prefix string, s *scope) ([]value.Column, error) {
	p, err := b.tabular(before.Simple(), s, "")
	if err != nil {
		return nil, err
	}
	bag, _ := p.find(name)
	p.finish([]ref{bag.ref})
	b.kept.finishWhole()
	kinds := map[string]value.Kind{}
	err = p.run(newExecution(context.Background(), new(atomic.Int64)), func(f *frame) error {
		slots, _ := f.at(bag.ref).Bag()
		for _, slot := range slots {
			if slot.Value.IsNull() {
				continue
			}
			kind := value.Dynamic
			if v, ok := slot.Value.Scalar(); ok {
				kind = v.Kind()
			} else if slot.Value.Kind() != value.Dynamic {
				kind = slot.Value.Kind()
			}
			kinds[slot.Name] = commonKind(kinds[slot.Name], kind)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	columns := make([]value.Column, 0, len(kinds))
	for name, kind := range kinds {
		columns = append(columns, value.Column{Name: prefix + name, Kind: kind})
	}
	slices.SortFunc(columns, func(a, b value.Column) int { return strings.Compare(a.Name, b.Name) })
	return columns, nil
}

// commonKind is the type that holds values of both kinds; 0 is none yet.
func commonKind(a, b value.Kind) value.Kind {
	switch {
	case a == 0 || a == b:
		return b
	case a.IsNumeric() && b.IsNumeric():
		return max(a, b)
	}
	return value.Dynamic
}
