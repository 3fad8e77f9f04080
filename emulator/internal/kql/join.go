package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// joinSource matches the rows of two pipelines by their keys. A key with a
// null in it matches nothing.
type joinSource struct {
	kind        string
	left, right *pipeline
	keys        [2][]*expr // of left, of right
	columns     []joinColumn
	need        []bool
	build       *pipeline // the side that is kept: right, except for rightsemi and rightanti
	kept        []ref     // its columns that are kept
}

// joinColumn is a column of the result.
type joinColumn struct {
	right bool
	ref   ref
	kind  value.Kind
	at    int // among the kept columns, of the side that is kept
}

// join binds join and lookup.
func (b *binder) join(p *pipeline, n *syntax.Join, c site) (*pipeline, error) {
	right, err := b.tabular(n.Right, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	src := &joinSource{kind: n.Kind, left: p, right: right, build: right}
	if src.kind == "" {
		src.kind = "innerunique"
		if n.Lookup {
			src.kind = "leftouter"
		}
	}
	if src.kind == "rightsemi" || src.kind == "rightanti" {
		src.build = p
	}
	for _, x := range n.On {
		if err := b.joinOn(src, x, c); err != nil {
			return nil, err
		}
	}
	return newPipeline(src, src.output(n.Lookup)), nil
}

// joinOn binds a condition: a column of both sides, or an equality of a column
// of each.
func (b *binder) joinOn(src *joinSource, x syntax.Expr, c site) error {
	switch n := x.(type) {
	case *syntax.Logic:
		if n.Op == "and" {
			for _, t := range n.Terms {
				if err := b.joinOn(src, t, c); err != nil {
					return err
				}
			}
			return nil
		}
	case *syntax.Ident:
		l, okLeft := src.left.find(n.Name)
		r, okRight := src.right.find(n.Name)
		if !okLeft || !okRight {
			return unresolved(n.Pos(), c.op, "scalar expression", n.Name)
		}
		return src.addKey(columnExpr(l), columnExpr(r), n.Name, n.Pos())
	case *syntax.Binary:
		if n.Op == "==" {
			return b.joinEquality(src, n, c)
		}
	}
	return semantic(x.Pos(), "'%s' operator: a condition must be a column or $left.column == $right.column", c.op)
}

func (b *binder) joinEquality(src *joinSource, n *syntax.Binary, c site) error {
	var sides [2]*expr // left, right
	name := ""
	for _, x := range []syntax.Expr{n.Left, n.Right} {
		m, ok := x.(*syntax.Member)
		side, isName := syntax.Expr(nil), false
		if ok {
			side = m.X
			_, isName = side.(*syntax.Ident)
		}
		if !isName {
			return semantic(x.Pos(), "'%s' operator: a condition must be a column or $left.column == $right.column", c.op)
		}
		at, p := 0, src.left
		switch side.(*syntax.Ident).Name {
		case "$left":
		case "$right":
			at, p = 1, src.right
		default:
			return semantic(x.Pos(), "'%s' operator: a column must be that of $left or $right", c.op)
		}
		f, ok := p.find(m.Name)
		if !ok {
			return unresolved(m.Pos(), c.op, "scalar expression", m.Name)
		}
		sides[at], name = columnExpr(f), m.Name
	}
	if sides[0] == nil || sides[1] == nil {
		return semantic(n.Pos(), "'%s' operator: a condition must compare a column of $left with one of $right", c.op)
	}
	return src.addKey(sides[0], sides[1], name, n.Pos())
}

func (s *joinSource) addKey(left, right *expr, name string, at int) error {
	switch {
	case left.kind == value.Dynamic || right.kind == value.Dynamic:
		return semantic(at, "join key '%s' is of a 'dynamic' type. Please use an explicit cast using extend or project", name)
	case left.kind != right.kind && !(left.kind.IsNumeric() && right.kind.IsNumeric()):
		return semantic(at, "join keys '%s' are of types %v and %v. Please use an explicit cast using extend or project", name, left.kind, right.kind)
	}
	s.keys[0], s.keys[1] = append(s.keys[0], left), append(s.keys[1], right)
	return nil
}

// output chooses the columns: those of the left side, then those of the right,
// with a number behind a name that is taken. A semi or anti join has one side;
// lookup leaves out the keys of the right side.
func (s *joinSource) output(lookup bool) []value.Column {
	var columns []value.Column
	names := newNamer()
	add := func(right bool, f field) {
		s.columns = append(s.columns, joinColumn{right: right, ref: f.ref, kind: f.kind})
		columns = append(columns, value.Column{Name: names.unique(f.name), Kind: f.kind})
	}
	if s.kind != "rightsemi" && s.kind != "rightanti" {
		for _, f := range s.left.fields {
			add(false, f)
		}
	}
	if s.kind != "leftsemi" && s.kind != "leftanti" {
		for _, f := range s.right.fields {
			isKey := slices.ContainsFunc(s.keys[1], func(e *expr) bool { return e.reads[0] == f.ref })
			if !lookup || !isKey {
				add(true, f)
			}
		}
	}
	return columns
}

func (s *joinSource) require(need []bool) {
	s.need = need
	var reads [2][]ref
	for side, keys := range s.keys {
		for _, k := range keys {
			reads[side] = append(reads[side], k.reads...)
		}
	}
	for i := range s.columns {
		c := &s.columns[i]
		if !need[i] {
			continue
		}
		side := 0
		if c.right {
			side = 1
		}
		reads[side] = append(reads[side], c.ref)
		if c.right == (s.build == s.right) {
			c.at = len(s.kept)
			s.kept = append(s.kept, c.ref)
		}
	}
	s.left.finish(reads[0])
	s.right.finish(reads[1])
}
