package kql

import (
	"strconv"
	"strings"

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
		return joinName(nameOf(n.X, c), nameOfKey(n.Key))
	case *syntax.Call:
		return nameOfCall(n, c)
	}
	return ""
}

// nameOfKey is the part of a name that a subscript gives: nothing for what is no
// literal, and an underscore in place of the sign.
func nameOfKey(x syntax.Expr) string {
	sign := ""
	if u, ok := x.(*syntax.Unary); ok && u.Op == "-" {
		sign, x = "_", u.X
	}
	key, ok := x.(*syntax.Literal)
	if !ok || key.Value.Kind() != value.String && !key.Value.Kind().IsInteger() {
		return ""
	}
	return sign + key.Value.String()
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
		round ceiling pow sqrt log log2 log10 exp exp2 exp10 cos sin tan acos asin atan atan2 abs rand gamma loggamma erf erfc
		bin_auto series_fir series_iir series_outliers series_fill_const series_fill_forward series_fill_backward series_fill_linear`) {
		names[name] = true
	}
	return names
}()

// prefixes are the functions whose results are called like the first argument
// with a prefix.
var prefixes = map[string]string{"strlen": "strlen", "string_size": "string_size", "gettype": "type", "treepath": "tree"}

// suffixes are the functions whose results are called like the first argument
// with a suffix.
var suffixes = map[string]string{"array_sort_asc": "_sorted", "array_sort_desc": "_sorted"}

func nameOfCall(n *syntax.Call, c site) string {
	argument := func(i int) string {
		if i < len(n.Args) {
			return nameOf(n.Args[i].X, c)
		}
		return ""
	}
	if c.row != nil && c.row.aggregates != nil {
		if name, ok := c.row.aggregates.names[n]; ok {
			return name
		}
	}
	if suffix, ok := suffixes[n.Name]; ok {
		if name := argument(0); name != "" {
			return name + suffix
		}
		return "array0" + suffix
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

// unique is the name, with a number behind it if it is taken. For "" it is
// Column1 or the next of its kind, whether or not that is taken.
func (n *namer) unique(name string) string {
	if name == "" {
		name = n.column()
	}
	candidate := name
	for i := 1; !n.declare(candidate); i++ {
		candidate = name + strconv.Itoa(i)
	}
	return candidate
}

// free is Column1 or the next of its kind that is not taken.
func (n *namer) free() string {
	for {
		if candidate := n.column(); n.declare(candidate) {
			return candidate
		}
	}
}

func (n *namer) column() string {
	n.number++
	return "Column" + strconv.Itoa(n.number)
}
