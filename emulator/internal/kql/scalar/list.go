package scalar

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// membership binds in, !in, in~ and !in~. A null on the left is in no list
// and, as with !=, not in any (https://learn.microsoft.com/kusto/query/in-operator).
func membership(op string, left Arg, list []Arg) (Bound, error) {
	fold := strings.HasSuffix(op, "~")
	for _, e := range list {
		if err := checkMember(op, left, e, fold); err != nil {
			return Bound{}, err
		}
	}
	negated := op[0] == '!'
	if set, ok := constantSet(left.Kind, list, fold); ok {
		return tested(5, func(v value.Value) bool { return set.has(v) != negated }), nil
	}
	convert := memberCast(left.Kind)
	return Bound{Kind: value.Bool, Cost: 5 + len(list), Eval: func(a []value.Value) (value.Value, error) {
		for _, e := range a[1:] {
			found := false
			eachElement(e, func(e value.Value) {
				found = found || sameMember(a[0], convert(e), fold)
			})
			if found {
				return boolean(!negated), nil
			}
		}
		return boolean(negated), nil
	}}, nil
}

func checkMember(op string, left, e Arg, fold bool) error {
	if fold && left.Kind != value.String && left.Kind != value.Dynamic {
		return refusef("'%s' operator: argument #1 expected to be a string expression", op)
	}
	if e.Kind == value.Dynamic || left.Kind == value.Dynamic {
		return nil
	}
	_, err := comparison("==", left, e)
	return err
}

// memberCast brings an element of a dynamic array to the kind of the left side.
func memberCast(left value.Kind) cast {
	if left == value.Dynamic {
		return noCast
	}
	convert := fromDynamic(left)
	return func(v value.Value) value.Value {
		if v.Kind() == value.Dynamic {
			return convert(v)
		}
		return v
	}
}

// eachElement visits the elements of a dynamic array, or v itself.
func eachElement(v value.Value, visit func(value.Value)) {
	if elements, ok := v.Array(); ok {
		for _, e := range elements {
			visit(e)
		}
		return
	}
	visit(v)
}

func sameMember(a, b value.Value, fold bool) bool {
	if a.IsNull() || b.IsNull() {
		return false
	}
	if fold {
		return equalFold(a.String(), foldASCII(b.String()))
	}
	return value.Equal(a, b)
}

// memberSet is a constant list, by text for strings and by key for the rest.
type memberSet struct {
	fold  bool
	texts map[string]struct{}
	keys  map[string]struct{}
}

func constantSet(left value.Kind, list []Arg, fold bool) (memberSet, bool) {
	set := memberSet{fold: fold, texts: map[string]struct{}{}, keys: map[string]struct{}{}}
	convert := memberCast(left)
	for _, e := range list {
		if e.Const == nil {
			return memberSet{}, false
		}
		eachElement(*e.Const, func(e value.Value) { set.add(convert(e)) })
	}
	return set, true
}

func (m memberSet) add(v value.Value) {
	if v.IsNull() {
		return
	}
	switch text := v.String(); {
	case m.fold:
		m.texts[foldASCII(text)] = struct{}{}
	case v.Kind() == value.String:
		m.texts[text] = struct{}{}
	}
	m.keys[string(v.AppendKey(nil))] = struct{}{}
}

func (m memberSet) has(v value.Value) bool {
	if v.IsNull() {
		return false
	}
	if m.fold {
		_, ok := m.texts[foldASCII(v.String())]
		return ok
	}
	if v.Kind() == value.String {
		_, ok := m.texts[v.Text()]
		return ok
	}
	var buffer [64]byte
	_, ok := m.keys[string(v.AppendKey(buffer[:0]))]
	return ok
}

// termList binds has_any and has_all.
func termList(op string, left Arg, list []Arg) (Bound, error) {
	if left.Kind != value.String && left.Kind != value.Dynamic {
		return Bound{}, refusef("'%s' operator: argument #1 expected to be a string expression", op)
	}
	constant := true
	var terms []term
	add := func(v value.Value) {
		terms = append(terms, newTerm(v.String(), false, ends{start: true, stop: true}))
	}
	for i, e := range list {
		if e.Kind != value.String && e.Kind != value.Dynamic {
			return Bound{}, refusef("'%s' operator: argument #%d expected to be a string expression", op, i+2)
		}
		if e.Const == nil {
			constant = false
			continue
		}
		eachElement(*e.Const, add)
	}
	all := op == "has_all"
	test := func(s string, terms []term) value.Value {
		for _, t := range terms {
			if t.in(s) != all {
				return boolean(!all)
			}
		}
		return boolean(all)
	}
	if constant {
		return Bound{Kind: value.Bool, Cost: 3 + 3*len(terms), Eval: func(a []value.Value) (value.Value, error) {
			return test(a[0].String(), terms), nil
		}}, nil
	}
	return Bound{Kind: value.Bool, Cost: 20 + 10*len(list), Eval: func(a []value.Value) (value.Value, error) {
		var terms []term
		for _, e := range a[1:] {
			eachElement(e, func(v value.Value) {
				terms = append(terms, newTerm(v.String(), false, ends{start: true, stop: true}))
			})
		}
		return test(a[0].String(), terms), nil
	}}, nil
}
