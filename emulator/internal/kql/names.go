package kql

import (
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// nameOf is the name that Kusto derives for an expression without one; "" where
// it numbers the column. The rules are those of Kusto's published language
// service.
func nameOf(x syntax.Expr, c site) string {
	switch n := x.(type) {
	case *syntax.Ident:
		return n.Name
	case *syntax.Member:
		return joinName(nameOf(n.X, c), n.Name)
	case *syntax.Index:
		key, ok := n.Key.(*syntax.Literal)
		if !ok || key.Value.Kind() != value.String && !key.Value.Kind().IsInteger() {
			return nameOf(n.X, c)
		}
		return joinName(nameOf(n.X, c), key.Value.String())
	case *syntax.Call:
		return nameOfCall(n, c)
	}
	return ""
}

func joinName(left, right string) string {
	if left == "" {
		return right
	}
	return left + "_" + right
}

// firstArgument are the functions whose results are called like the first
// argument.
var firstArgument = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`tostring tohex todynamic toobject tolong toint toreal todouble todatetime totimespan totime
		tobool toboolean todecimal toguid split parse_csv parse_json parsejson parse_xml format_datetime format_timespan format_bytes
		bin floor bin_at startofday binary_and binary_or binary_xor binary_not binary_shift_left binary_shift_right bitset_count_ones
		round ceiling pow sqrt log log2 log10 exp exp2 exp10 cos sin tan acos asin atan atan2 abs rand gamma loggamma`) {
		names[name] = true
	}
	return names
}()

// prefixes are the functions whose results are called like the first argument
// with a prefix.
var prefixes = map[string]string{"strlen": "strlen", "string_size": "string_size", "gettype": "type", "treepath": "tree"}

func nameOfCall(n *syntax.Call, c site) string {
	argument := func(i int) string {
		if i < len(n.Args) {
			return nameOf(n.Args[i].X, c)
		}
		return ""
	}
	if c.row != nil && c.row.aggregates != nil {
		if a, ok := aggregate.Lookup(n.Name); ok {
			return nameOfAggregate(a, n, argument)
		}
	}
	if prefix, ok := prefixes[n.Name]; ok {
		return prefix + "_" + argument(0)
	}
	switch n.Name {
	case "make_datetime", "make_timespan":
		if len(n.Args) == 1 {
			return argument(0)
		}
	case "column_ifexists", "columnifexists":
		if len(n.Args) == 2 {
			if l, ok := n.Args[0].X.(*syntax.Literal); ok && c.row != nil {
				if f, ok := c.row.find(l.Value.Text()); ok {
					return f.name
				}
			}
		}
	case "ingestion_time":
		return "$IngestionTime"
	}
	if firstArgument[n.Name] {
		return argument(0)
	}
	return ""
}

// nameOfAggregate is the name of the first result as far as it does not depend
// on types.
func nameOfAggregate(a aggregate.Aggregate, n *syntax.Call, argument func(int) string) string {
	switch a.Name {
	case "arg_max", "arg_min", "argmax", "argmin", "take_any", "any":
		return argument(0)
	case "count":
		return "count_"
	}
	return a.Name + "_" + argument(0)
}

// namer makes the names of a projection's columns unique.
type namer struct {
	taken  map[string]bool
	number int // of the last Column1, Column2, ...
}

func newNamer() *namer { return &namer{taken: map[string]bool{}} }

// declare takes a name that the text gives; false if it is taken.
func (n *namer) declare(name string) bool {
	if n.taken[name] {
		return false
	}
	n.taken[name] = true
	return true
}

// unique is the name, with a number behind it if it is taken; for "" it is
// Column1 or the next of its kind that is free.
func (n *namer) unique(name string) string {
	if name == "" {
		for {
			n.number++
			if candidate := "Column" + strconv.Itoa(n.number); n.declare(candidate) {
				return candidate
			}
		}
	}
	candidate := name
	for i := 1; !n.declare(candidate); i++ {
		candidate = name + strconv.Itoa(i)
	}
	return candidate
}
