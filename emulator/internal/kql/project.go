package kql

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// named is an item of a projection with its name, if the text gives one.
type named struct {
	name     string
	given    bool // by the text, also as the name of a column
	explicit bool // by the text, in front of the expression
	several  bool // a column of a function with several
	e        *expr
	at       int
}

// items binds the items of project and extend, and the keys of summarize.
func (b *binder) items(items []syntax.Item, c site) ([]named, error) {
	list := make([]named, 0, len(items))
	for _, item := range items {
		e, err := b.scalarOf(item.X, c)
		if err != nil {
			return nil, err
		}
		if e.results != nil || len(item.Names) > 1 {
			several, err := b.severalItems(item, e, c)
			if err != nil {
				return nil, err
			}
			list = append(list, several...)
			continue
		}
		if err := single(e, item.X); err != nil {
			return nil, err
		}
		n := named{e: e, at: item.Pos()}
		if len(item.Names) == 1 {
			n.name, n.given, n.explicit = item.Names[0], true, true
		} else {
			n.name = nameOf(item.X, c)
			n.given = e.column
			if call, ok := item.X.(*syntax.Call); ok {
				n.several = suffixes[call.Name] != "" // one of them here, but called as if there were more
			}
		}
		list = append(list, n)
	}
	return list, nil
}

// severalItems are the columns of a function with several results; the text may
// name the first of them.
func (b *binder) severalItems(item syntax.Item, e *expr, c site) ([]named, error) {
	switch call, ok := item.X.(*syntax.Call); {
	case !ok || len(item.Names) > max(1, len(e.results)):
		return nil, semantic(item.Pos(), "'%s' operator: the expression does not have so many values as names.", c.op)
	case e.results == nil || c.row.pipe == nil || c.op != "project" && c.op != "extend":
		return nil, unsupported(item.Pos(), "'%s' operator: several columns of one expression are not supported here.", c.op)
	default:
		return resultsOf(item, call, e, columnExpr(c.row.pipe.compute("", e)), c), nil
	}
}

// resultsOf are the results of e, a call, whose array is given too.
func resultsOf(item syntax.Item, call *syntax.Call, e, array *expr, c site) []named {
	list := make([]named, len(e.results))
	for i, r := range e.results {
		n := named{e: element(c.row.layout, array, i, r), at: item.Pos(), several: true}
		if i < len(item.Names) {
			n.name, n.given, n.explicit = item.Names[i], true, true
		} else {
			n.name = r.Name(func(i int) string { return nameOf(call.Args[i].X, c) })
		}
		list[i] = n
	}
	return list
}

// element is element i of an array of results.
func element(l *layout, array *expr, i int, r scalar.Result) *expr {
	return apply(l, "", scalar.Bound{Kind: r.Kind, Cost: 5, Eval: func(a []value.Value) (value.Value, error) {
		if r.Refused {
			return value.Value{}, fmt.Errorf("the column %s...%s is not supported here", r.Prefix, r.Suffix)
		}
		v, ok := a[0].Index(i)
		if !ok {
			return value.Null(r.Kind), nil
		}
		return scalar.Convert(v, r.Kind), nil
	}}, []*expr{array}, false)
}

// project makes the items the columns. A column that is only named gives way to
// one before it whose name was derived.
func (b *binder) project(p *pipeline, items []syntax.Item, c site) error {
	list, err := b.items(items, c)
	if err != nil {
		return err
	}
	names, given := newNamer(), newNamer()
	fields := make([]field, len(list))
	for i, n := range list {
		switch {
		case n.given && !given.declare(n.name):
			return semantic(n.at, "'%s' operator: Column '%s' is defined more than once", c.op, n.name)
		case n.explicit && names.taken[n.name]:
			return unsupported(n.at, "'%s' operator: Column '%s' has the name of one that has none in the text, which is not supported here.", c.op, n.name)
		}
		fields[i] = p.compute(names.unique(n.name), n.e)
	}
	p.fields = fields
	return nil
}

// extend adds columns, or replaces those of the same name where they are.
func (b *binder) extend(p *pipeline, items []syntax.Item, c site) error {
	list, err := b.items(items, c)
	if err != nil {
		return err
	}
	names := newNamer()
	for _, f := range p.fields {
		names.declare(f.name)
	}
	fields := slices.Clone(p.fields)
	declared := newNamer()
	for _, n := range list {
		if n.given && !declared.declare(n.name) {
			return semantic(n.at, "'%s' operator: Column '%s' is defined more than once", c.op, n.name)
		}
		switch {
		case n.name == "":
			n.name = names.free()
		case n.several && !n.given:
			n.name = names.unique(n.name)
		}
		f := p.compute(n.name, n.e)
		if i := slices.IndexFunc(fields, func(f field) bool { return f.name == n.name }); i >= 0 {
			fields[i] = f
			continue
		}
		names.declare(n.name)
		fields = append(fields, f)
	}
	p.fields = fields
	return nil
}

// rename is project-rename.
func (b *binder) rename(p *pipeline, n *syntax.ProjectRename) error {
	fields := slices.Clone(p.fields)
	for _, item := range n.Items {
		old, ok := item.X.(*syntax.Ident)
		if !ok || len(item.Names) != 1 {
			return semantic(item.Pos(), "'project-rename' operator: expected NewName = OldName")
		}
		i := slices.IndexFunc(p.fields, func(f field) bool { return f.name == old.Name })
		if i < 0 {
			return unresolved(old.Pos(), "project-rename", "scalar expression", old.Name)
		}
		fields[i].name = item.Names[0]
	}
	names := newNamer()
	for _, f := range fields {
		if !names.declare(f.name) {
			return semantic(n.Pos(), "'project-rename' operator: Column '%s' is defined more than once", f.name)
		}
	}
	p.fields = fields
	return nil
}

// projectNames is project-away, project-keep and project-reorder.
func (b *binder) projectNames(p *pipeline, n *syntax.ProjectNames) error {
	var chosen []field
	for _, pattern := range n.Names {
		matched, err := matching(p.fields, pattern, n.Op)
		if err != nil {
			return err
		}
		for _, f := range matched {
			if !slices.ContainsFunc(chosen, func(g field) bool { return g.name == f.name }) {
				chosen = append(chosen, f)
			}
		}
	}
	isChosen := func(f field) bool {
		return slices.ContainsFunc(chosen, func(g field) bool { return g.name == f.name })
	}
	rest := slices.DeleteFunc(slices.Clone(p.fields), isChosen)
	switch n.Op {
	case "project-away":
		p.fields = rest
	case "project-keep":
		p.fields = slices.DeleteFunc(slices.Clone(p.fields), func(f field) bool { return !isChosen(f) })
	default:
		p.fields = append(chosen, rest...)
	}
	return nil
}

// matching are the columns that a pattern means, in the pattern's order.
func matching(fields []field, pattern syntax.NamePattern, op string) ([]field, error) {
	if !strings.Contains(pattern.Name, "*") {
		for _, f := range fields {
			if f.name == pattern.Name {
				return []field{f}, nil
			}
		}
		return nil, unresolved(pattern.Pos(), op, "scalar expression", pattern.Name)
	}
	var matched []field
	for _, f := range fields {
		if wildcard(pattern.Name, f.name) {
			matched = append(matched, f)
		}
	}
	order := strings.Compare
	if strings.HasPrefix(pattern.Order, "granny-") {
		order = compareGranny
	}
	switch strings.TrimPrefix(pattern.Order, "granny-") {
	case "asc":
		slices.SortStableFunc(matched, func(a, b field) int { return order(a.name, b.name) })
	case "desc":
		slices.SortStableFunc(matched, func(a, b field) int { return order(b.name, a.name) })
	}
	return matched, nil
}

// wildcard says whether a name matches a pattern, in which * stands for any
// text.
func wildcard(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return name == pattern
	}
	if !strings.HasPrefix(name, first) || len(name) < len(first)+len(last) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(name, part)
		if !ok {
			return false
		}
		name = rest
	}
	return true
}

// compareGranny orders names with the numbers in them by their size, as
// granny-asc does (https://learn.microsoft.com/kusto/query/project-reorder-operator).
func compareGranny(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
