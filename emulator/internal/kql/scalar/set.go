package scalar

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// sets treat arrays as sets; results keep the order of first appearance.
var sets = []Function{
	setFn("set_union", func(all []keyed) value.Value {
		var union []value.Value
		seen := map[string]bool{}
		for _, s := range all {
			for i, k := range s.keys {
				if !seen[k] {
					seen[k] = true
					union = append(union, s.elements[i])
				}
			}
		}
		return value.NewArray(union)
	}),
	setFn("set_intersect", func(all []keyed) value.Value { return all[0].filter(all[1:], len(all)-1) }),
	setFn("set_difference", func(all []keyed) value.Value { return all[0].filter(all[1:], 0) }),
	fn("set_has_element", value.Bool, params{isDynamic, isAny}, func(a []value.Value) value.Value {
		s, ok := newKeyed(a[0])
		if !ok {
			return nullBool
		}
		return boolean(s.index[string(a[1].AppendKey(nil))])
	}),
	fn("set_equals", value.Bool, params{isDynamic, isDynamic}, func(a []value.Value) value.Value {
		x, ok1 := newKeyed(a[0])
		y, ok2 := newKeyed(a[1])
		if !ok1 || !ok2 {
			return nullBool
		}
		for k := range x.index {
			if !y.index[k] {
				return no
			}
		}
		return boolean(len(x.index) == len(y.index))
	}),
	fn("jaccard_index", value.Real, params{isDynamic, isDynamic}, func(a []value.Value) value.Value {
		x, ok1 := newKeyed(a[0])
		y, ok2 := newKeyed(a[1])
		if !ok1 || !ok2 {
			return nullReal
		}
		common := 0
		for k := range x.index {
			if y.index[k] {
				common++
			}
		}
		return value.NewReal(float64(common) / float64(len(x.index)+len(y.index)-common))
	}),
}

// keyed is an array with the keys of its elements.
type keyed struct {
	elements []value.Value
	keys     []string
	index    map[string]bool
}

func newKeyed(v value.Value) (keyed, bool) {
	elements, ok := v.Array()
	if !ok {
		return keyed{}, false
	}
	s := keyed{elements: elements, keys: make([]string, len(elements)), index: make(map[string]bool, len(elements))}
	for i, e := range elements {
		s.keys[i] = string(e.AppendKey(nil))
		s.index[s.keys[i]] = true
	}
	return s, true
}

// filter is the distinct elements of s that are in exactly n of the others.
func (s keyed) filter(others []keyed, n int) value.Value {
	var kept []value.Value
	seen := map[string]bool{}
	for i, k := range s.keys {
		in := 0
		for _, o := range others {
			if o.index[k] {
				in++
			}
		}
		if in == n && !seen[k] {
			seen[k] = true
			kept = append(kept, s.elements[i])
		}
	}
	return value.NewArray(kept)
}

// setFn makes a function of two or more arrays; what is no array makes the
// result null.
func setFn(name string, f func(all []keyed) value.Value) Function {
	return fn(name, value.Dynamic, params{isDynamic}, func(a []value.Value) value.Value {
		all := make([]keyed, len(a))
		for i, v := range a {
			var ok bool
			if all[i], ok = newKeyed(v); !ok {
				return nullAny
			}
		}
		return f(all)
	}).arity(2, 64)
}
