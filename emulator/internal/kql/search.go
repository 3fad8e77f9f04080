package kql

import (
	"regexp"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// searchTable is the column that says where a row is from.
const searchTable = "$table"

// search binds search (https://learn.microsoft.com/kusto/query/search-operator):
// a union of the tables and a filter. before is the expression in front of the
// pipe, nil for none.
func (b *binder) search(n *syntax.Search, before syntax.Expr, s *scope) (*pipeline, error) {
	u := &syntax.Union{Place: n.Place, WithSource: searchTable, Tables: n.Tables}
	switch {
	case before != nil && len(n.Tables) > 0:
		return nil, semantic(n.Pos(), "'search' operator: tables can't be given behind a table")
	case before != nil:
		u.Tables = []syntax.Expr{before}
	case len(n.Tables) == 0:
		u.Tables = []syntax.Expr{&syntax.Wild{Place: n.Place, Pattern: "*"}}
	}
	p, err := b.union(u, nil, s)
	if err != nil {
		return nil, err
	}
	if !haveNames(u.Tables, s) { // the service generates a name for what is no table
		p.fields[0] = p.compute(searchTable, failing(value.String, "'search' operator: $table of what is no table is not supported here."))
	}
	c := site{scope: s, row: &p.row, op: "search"}
	e, err := b.searched(n.Predicate, n.CaseSensitive, c)
	if err != nil {
		return nil, err
	}
	p.filter(e)
	return p, nil
}

// haveNames says whether each of the tables is one of the database, with a name of its own.
func haveNames(tables []syntax.Expr, s *scope) bool {
	for _, t := range tables {
		switch t := t.(type) {
		case *syntax.Ident:
			if _, ok := s.find(t.Name); ok {
				return false
			}
		case *syntax.Wild:
		default:
			return false
		}
	}
	return true
}

// failing is an expression whose value is refused when it is read.
func failing(k value.Kind, message string) *expr {
	return &expr{kind: k, volatile: true, cost: 1, eval: func(f *frame) value.Value {
		f.fail(&Error{Kind: Unsupported, Code: codeOther, Message: message})
		return value.Null(k)
	}}
}

// searched binds a predicate with terms in it.
func (b *binder) searched(x syntax.Expr, exact bool, c site) (*expr, error) {
	switch n := x.(type) {
	case *syntax.Star:
		return constantExpr(value.NewBool(true)), nil
	case *syntax.Logic:
		terms := make([]*expr, len(n.Terms))
		for i, t := range n.Terms {
			var err error
			if terms[i], err = b.searched(t, exact, c); err != nil {
				return nil, err
			}
		}
		return logic(n.Op, terms), nil
	case *syntax.Literal:
		if n.Value.Kind() == value.String {
			return b.searchTerm(n, exact, c.row.fields[1:], c)
		}
	case *syntax.Binary:
		id, ok := n.Left.(*syntax.Ident)
		l, isText := n.Right.(*syntax.Literal)
		if n.Op == ":" && ok && isText && l.Value.Kind() == value.String {
			f, found := c.row.find(id.Name)
			if !found {
				return nil, unresolved(id.Pos(), c.op, "scalar expression", id.Name)
			}
			return b.searchTerm(l, exact, []field{f}, c)
		}
		if n.Op == ":" {
			return nil, semantic(n.Pos(), "'search' operator: expected Column:\"term\"")
		}
	}
	if exact {
		return nil, unsupported(x.Pos(), "'search' operator: kind=case_sensitive with more than terms is not supported here.")
	}
	return b.condition(x, c)
}

// searchTerm looks for a term in columns.
func (b *binder) searchTerm(n *syntax.Literal, exact bool, fields []field, c site) (*expr, error) {
	op, term, err := searchOperator(n, exact)
	if err != nil || op == "" {
		return constantExpr(value.NewBool(true)), err
	}
	return anyColumn(n, textOperation{op, constantExpr(value.NewString(term))}, fields, c)
}

// textOperation is an operator of texts and what is on its right.
type textOperation struct {
	op    string
	right *expr
}

// anyColumn says whether any of the columns satisfies o. Whether the service looks in
// the text of a column that is neither string nor dynamic is not published: a row
// that depends on that is refused.
func anyColumn(n syntax.Expr, o textOperation, fields []field, c site) (*expr, error) {
	op, right := o.op, o.right
	var texts, others []*expr
	for _, f := range fields {
		left := columnExpr(f)
		list := &others
		if f.kind == value.String || f.kind == value.Dynamic {
			list = &texts
		} else {
			left = converted(c.row.layout, left, value.String)
		}
		bound, err := scalar.Operator(op, left.arg(), right.arg())
		if err != nil {
			return nil, in(n.Pos(), err)
		}
		*list = append(*list, apply(c.row.layout, op, bound, []*expr{left, right}, false))
	}
	found, elsewhere := logic("or", texts).condition(), logic("or", others).condition()
	e := logic("or", append(texts, others...))
	e.op, e.args = "search", nil // no condition for a scan
	e.tested(func(f *frame) truth {
		is := found(f)
		if is != holds && elsewhere(f) == holds {
			f.fail(&Error{Kind: Unsupported, Code: codeOther, Message: "'" + c.op + "' operator: a term that occurs in a column of another type than string and dynamic alone is not supported here."})
		}
		return is
	})
	return e, nil
}

// anyOperators are those of texts that can have `*` on their left: any column will do
// (https://learn.microsoft.com/kusto/query/where-operator).
var anyOperators = map[string]bool{
	"has": true, "hasprefix": true, "hassuffix": true, "contains": true, "startswith": true, "endswith": true,
	"has_cs": true, "hasprefix_cs": true, "hassuffix_cs": true, "contains_cs": true, "startswith_cs": true, "endswith_cs": true,
	"matches regex": true,
}

// bindStar binds `* has "term"`.
func bindStar(b *binder, n *syntax.Binary, c site) (*expr, error) {
	if !anyOperators[n.Op] {
		return nil, unsupported(n.Pos(), "'*' in place of a column is not supported here with the operator '%s'.", n.Op)
	}
	right, err := b.scalar(n.Right, c)
	if err != nil {
		return nil, err
	}
	return anyColumn(n, textOperation{n.Op, right}, c.row.fields, c)
}

// searchOperator is the operator that a term stands for, "" for one that every
// row has.
func searchOperator(n *syntax.Literal, exact bool) (op, term string, err error) {
	text := n.Value.Text()
	before, after := strings.HasPrefix(text, "*"), strings.HasSuffix(text, "*")
	term = strings.Trim(text, "*")
	switch {
	case term == "" && text != "":
		return "", "", nil
	case term == "":
		return "", "", unsupported(n.Pos(), "'search' operator: an empty term is not supported here.")
	case strings.Contains(term, "*"):
		if before || after {
			return "", "", unsupported(n.Pos(), "'search' operator: a term with asterisks within and at an end is not supported here.")
		}
		parts := strings.Split(term, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		fold := "(?i)"
		if exact {
			fold = ""
		}
		return "matches regex", fold + `\b` + strings.Join(parts, ".*") + `\b`, nil
	case before && after:
		op = "contains"
	case before:
		op = "hassuffix"
	case after:
		op = "hasprefix"
	default:
		op = "has"
	}
	if exact {
		op += "_cs"
	}
	return op, term, nil
}
