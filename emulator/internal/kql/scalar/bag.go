package scalar

import (
	"errors"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// bags are the functions on property bags
// (https://learn.microsoft.com/kusto/query/scalar-functions#dynamicarray-functions).
var bags = []Function{
	packer("bag_pack"), packer("pack"), packer("pack_dictionary"),
	lenient("bag_merge", value.Dynamic, params{isDynamic}, mergeBags).arity(2, 64),
	fn("bag_keys", value.Dynamic, params{isDynamic}, func(a []value.Value) value.Value {
		slots, ok := a[0].Bag()
		if !ok {
			return nullAny
		}
		names := make([]string, len(slots))
		for i, p := range slots {
			names[i] = p.Name
		}
		return textArray(names)
	}),
	fn("bag_has_key", value.Bool, params{isDynamic, isString}, func(a []value.Value) value.Value {
		if !a[0].IsBag() {
			return nullBool
		}
		_, ok := follow(a[0], keySteps(a[1].Text()))
		return boolean(ok)
	}),
	fn("bag_remove_keys", value.Dynamic, params{isDynamic, isDynamic}, func(a []value.Value) value.Value {
		if !a[0].IsBag() {
			return nullAny
		}
		bag := a[0]
		eachElement(a[1], func(key value.Value) { bag = without(bag, keySteps(key.String())) })
		return bag
	}),
	custom("bag_set_key", 3, 3, func(c call) (Bound, error) {
		if err := (params{isDynamic, isString, isAny}).check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Dynamic, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
			if !a[0].IsBag() {
				return nullAny, nil
			}
			return with(a[0], keySteps(a[1].Text()), a[2])
		}}, nil
	}),
	fn("bag_zip", value.Dynamic, params{isDynamic, isDynamic}, func(a []value.Value) value.Value {
		keys, ok := a[0].Array()
		if !ok {
			return nullAny
		}
		values, _ := a[1].Array() // what is no array has no values
		var slots []value.Property
		for i, k := range keys {
			v := nullAny
			if i < len(values) {
				v = values[i]
			}
			if s, ok := k.Scalar(); ok && s.Kind() == value.String {
				slots = append(slots, value.Property{Name: s.Text(), Value: v})
			}
		}
		return value.NewBag(slots)
	}),
}

// packer makes bag_pack(key1, value1, key2, value2, ...).
func packer(name string) Function {
	return custom(name, 2, -1, func(c call) (Bound, error) {
		if len(c.args)%2 != 0 {
			return Bound{}, c.refuse(len(c.args)-1, "followed by a value: the number of arguments must be even")
		}
		for i := 0; i < len(c.args); i += 2 {
			if err := c.check(i, isString); err != nil {
				return Bound{}, err
			}
		}
		return Bound{Kind: value.Dynamic, Cost: 10 * len(c.args), Eval: func(a []value.Value) (value.Value, error) {
			slots := make([]value.Property, 0, len(a)/2)
			for i := 0; i+1 < len(a); i += 2 {
				slots = append(slots, value.Property{Name: a[i].Text(), Value: a[i+1]})
			}
			return value.NewBag(slots), nil
		}}, nil
	})
}

// mergeBags keeps, of a name in several bags, the leftmost slot.
func mergeBags(a []value.Value) value.Value {
	var merged []value.Property
	seen := map[string]bool{}
	found := false
	for _, v := range a {
		slots, ok := v.Bag()
		found = found || ok
		for _, p := range slots {
			if !seen[p.Name] {
				seen[p.Name] = true
				merged = append(merged, p)
			}
		}
	}
	if !found {
		return nullAny
	}
	return value.NewBag(merged)
}

// keySteps reads a key that is a name or, if it begins with $., a JSONPath.
func keySteps(key string) []pathStep {
	if strings.HasPrefix(key, "$.") || strings.HasPrefix(key, "$[") {
		if steps, err := parsePathSteps(key); err == nil {
			return steps
		}
	}
	return []pathStep{{name: key, named: true}}
}

// without is bag without the slot that the steps lead to.
func without(bag value.Value, steps []pathStep) value.Value {
	slots, ok := bag.Bag()
	if !ok || len(steps) == 0 || !steps[0].named {
		return bag
	}
	kept := make([]value.Property, 0, len(slots))
	for _, p := range slots {
		switch {
		case p.Name != steps[0].name:
			kept = append(kept, p)
		case len(steps) > 1:
			kept = append(kept, value.Property{Name: p.Name, Value: without(p.Value, steps[1:])})
		}
	}
	return value.NewBag(kept)
}

// with is bag with the slot that the steps lead to; bags on the way are made
// where there are none. What a path through something else does is not
// published, and refused.
func with(bag value.Value, steps []pathStep, v value.Value) (value.Value, error) {
	slots, ok := bag.Bag()
	if !ok && !bag.IsNull() || len(steps) == 0 || !steps[0].named {
		return value.Value{}, errors.New("bag_set_key(): a path through what is no property bag is not supported here")
	}
	slots = slices.Clone(slots)
	i := slices.IndexFunc(slots, func(p value.Property) bool { return p.Name == steps[0].name })
	if len(steps) > 1 {
		inner := nullAny
		if i >= 0 {
			inner = slots[i].Value
		}
		var err error
		if v, err = with(value.NewDynamic(inner), steps[1:], v); err != nil {
			return value.Value{}, err
		}
	}
	set := value.Property{Name: steps[0].name, Value: v}
	if i >= 0 {
		slots[i] = set
	} else {
		slots = append(slots, set)
	}
	return value.NewBag(slots), nil
}
