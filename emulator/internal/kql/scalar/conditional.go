package scalar

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var conditionals = []Function{
	custom("iff", 3, 3, bindIff),
	custom("iif", 3, 3, bindIff),
	custom("case", 3, -1, bindCase),
	custom("coalesce", 1, 64, bindCoalesce),
	custom("not", 1, 1, bindNot),
	extreme("max_of", 1),
	extreme("min_of", -1),
}

var nullTests = []Function{
	nullTest("isnull", value.Value.IsNull),
	nullTest("isnotnull", func(v value.Value) bool { return !v.IsNull() }),
	nullTest("notnull", func(v value.Value) bool { return !v.IsNull() }),
	nullTest("isempty", isEmpty),
	nullTest("isnotempty", func(v value.Value) bool { return !isEmpty(v) }),
	nullTest("notempty", func(v value.Value) bool { return !isEmpty(v) }),
}

func nullTest(name string, test func(value.Value) bool) Function {
	return custom(name, 1, 1, func(call) (Bound, error) { return tested(5, test), nil })
}

// isEmpty is true for null, the empty string, and a dynamic that holds it.
func isEmpty(v value.Value) bool {
	if v.IsNull() {
		return true
	}
	switch v.Kind() {
	case value.String:
		return v.Text() == ""
	case value.Dynamic:
		s, ok := v.Scalar()
		return ok && s.Kind() == value.String && s.Text() == ""
	}
	return false
}

// branchKind is resultKind where a dynamic among others takes their type, as in
// iff(true, d, "text").
func (c call) branchKind(positions ...int) (value.Kind, error) {
	typed := slices.DeleteFunc(slices.Clone(positions), func(i int) bool { return c.args[i].Kind == value.Dynamic })
	if len(typed) == 0 {
		typed = positions
	}
	return c.resultKind(typed...)
}

// resultKind is the one kind of the branches at the positions given.
func (c call) resultKind(positions ...int) (value.Kind, error) {
	kinds := make([]value.Kind, len(positions))
	for i, p := range positions {
		kinds[i] = c.args[p].Kind
	}
	k, ok := commonKind(kinds...)
	if !ok {
		return 0, refusef("%s(): the types of the result arguments must be the same, found %v and %v. Try adding explicit casts.",
			c.name, kinds[0], firstOther(kinds))
	}
	return k, nil
}

func firstOther(kinds []value.Kind) value.Kind {
	for _, k := range kinds {
		if k != kinds[0] {
			return k
		}
	}
	return kinds[0]
}

func bindIff(c call) (Bound, error) {
	if err := c.check(0, isBool|isDynamic); err != nil {
		return Bound{}, c.refuse(0, "%v", isBool)
	}
	k, err := c.branchKind(1, 2)
	if err != nil {
		return Bound{}, err
	}
	condition := converter(c.args[0].Kind, value.Bool)
	then, otherwise := converter(c.args[1].Kind, k), converter(c.args[2].Kind, k)
	return Bound{Kind: k, Cost: 2, Eval: func(a []value.Value) (value.Value, error) {
		if condition(a[0]).Bool() {
			return then(a[1]), nil
		}
		return otherwise(a[2]), nil
	}}, nil
}

func bindCase(c call) (Bound, error) {
	if len(c.args)%2 == 0 {
		return Bound{}, refusef("case(): function expects an odd number of arguments.")
	}
	last := len(c.args) - 1
	results := []int{last}
	for i := 0; i < last; i += 2 {
		if err := c.check(i, isBool|isDynamic); err != nil {
			return Bound{}, c.refuse(i, "%v", isBool)
		}
		results = append(results, i+1)
	}
	k, err := c.branchKind(results...)
	if err != nil {
		return Bound{}, err
	}
	casts := make([]cast, len(c.args))
	for i, a := range c.args {
		casts[i] = converter(a.Kind, k)
		if i%2 == 0 && i < last {
			casts[i] = converter(a.Kind, value.Bool)
		}
	}
	return Bound{Kind: k, Cost: 1 + len(c.args), Eval: func(a []value.Value) (value.Value, error) {
		for i := 0; i < last; i += 2 {
			if casts[i](a[i]).Bool() {
				return casts[i+1](a[i+1]), nil
			}
		}
		return casts[last](a[last]), nil
	}}, nil
}

// bindCoalesce gives the first argument that is not null, or not empty for
// strings (https://learn.microsoft.com/kusto/query/coalesce-function).
func bindCoalesce(c call) (Bound, error) {
	positions := make([]int, len(c.args))
	for i := range positions {
		positions[i] = i
	}
	k, err := c.resultKind(positions...)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: k, Cost: len(c.args), Eval: func(a []value.Value) (value.Value, error) {
		for _, v := range a {
			if !v.IsNull() && (k != value.String || v.Text() != "") {
				return Convert(v, k), nil
			}
		}
		return value.Null(k), nil
	}}, nil
}

func bindNot(c call) (Bound, error) {
	if c.args[0].Kind != value.Bool && c.args[0].Kind != value.Dynamic {
		return Bound{}, c.refuse(0, "%v", isBool)
	}
	convert := converter(c.args[0].Kind, value.Bool)
	return Bound{Kind: value.Bool, Cost: 1, Eval: func(a []value.Value) (value.Value, error) {
		return negate(convert(a[0])), nil
	}}, nil
}

// extreme makes max_of and min_of; nulls are passed over.
func extreme(name string, sign int) Function {
	return custom(name, 1, 64, func(c call) (Bound, error) {
		positions := make([]int, len(c.args))
		for i := range positions {
			if err := c.check(i, isScalar); err != nil {
				return Bound{}, err
			}
			positions[i] = i
		}
		k, err := c.resultKind(positions...)
		if err != nil {
			return Bound{}, err
		}
		return Bound{Kind: k, Cost: len(c.args), Eval: func(a []value.Value) (value.Value, error) {
			best := a[0]
			for _, v := range a[1:] {
				if !v.IsNull() && (best.IsNull() || value.Compare(v, best)*sign > 0) {
					best = v
				}
			}
			return Convert(best, k), nil
		}}, nil
	})
}
