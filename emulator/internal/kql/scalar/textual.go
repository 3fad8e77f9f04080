package scalar

import (
	"math/bits"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// textual are functions on texts that take dynamics too, which count as
// tostring() of them.
func textual(groups ...[]Function) []Function {
	all := slices.Concat(groups...)
	for i := range all {
		all[i].bind = dynamicsAsTexts(all[i].bind, anyFirst[all[i].Name])
	}
	return all
}

// anyFirst are the functions whose first argument may be of any type, which counts as
// tostring() of it: Microsoft's parser accepts it.
var anyFirst = map[string]bool{
	"tolower": true, "toupper": true, "substring": true, "split": true, "strcmp": true, "to_utf8": true, "isascii": true, "isutf8": true,
	"regex_quote": true, "unicode_codepoints_from_string": true, "parse_command_line": true, "indexof_regex": true,
}

// mostDynamics bounds the arguments that are tried as dynamics and as texts.
const mostDynamics = 4

// dynamicsAsTexts binds with the fewest dynamics as texts that the function
// takes; those that it takes as they are stay dynamics. With first, a first argument of
// any type counts as a dynamic.
func dynamicsAsTexts(bind binder, first bool) binder {
	return func(c call) (Bound, error) {
		bound, refused := bind(c)
		var at []int
		for i, a := range c.args {
			if a.Kind == value.Dynamic || first && i == 0 && a.Kind != value.String {
				at = append(at, i)
			}
		}
		if refused == nil || len(at) == 0 || len(at) > mostDynamics {
			return bound, refused
		}
		for n := 1; n <= len(at); n++ {
			for chosen := range uint(1) << len(at) {
				if bits.OnesCount(chosen) != n {
					continue
				}
				if b, err := bind(c.asTexts(at, chosen)); err == nil {
					b.Eval = textArguments(b.Eval, at, chosen)
					b.Cost += 5 * n
					return b, nil
				}
			}
		}
		return Bound{}, refused
	}
}

// asTexts is the call with the chosen of the arguments at the positions as
// texts.
func (c call) asTexts(at []int, chosen uint) call {
	c.args = slices.Clone(c.args)
	for i, p := range at {
		if chosen&(1<<i) == 0 {
			continue
		}
		a := Arg{Kind: value.String}
		if known := c.args[p].Const; known != nil {
			text := Convert(*known, value.String)
			a.Const = &text
		}
		c.args[p] = a
	}
	return c
}

func textArguments(kernel Kernel, at []int, chosen uint) Kernel {
	return func(args []value.Value) (value.Value, error) {
		var buffer [8]value.Value
		args = append(buffer[:0], args...)
		for i, p := range at {
			if chosen&(1<<i) != 0 {
				args[p] = Convert(args[p], value.String)
			}
		}
		return kernel(args)
	}
}
