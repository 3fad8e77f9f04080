package scalar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// dynamicAccess makes dynamics of text and looks into them.
var dynamicAccess = []Function{
	custom("parse_json", 1, 1, bindParseJSON),
	custom("parsejson", 1, 1, bindParseJSON),
	custom("todynamic", 1, 1, bindParseJSON),
	custom("toobject", 1, 1, bindParseJSON),
	custom("dynamic", 1, 1, func(c call) (Bound, error) {
		return Bound{Kind: value.Dynamic, Cost: 2, Eval: func(a []value.Value) (value.Value, error) {
			return value.NewDynamic(a[0]), nil
		}}, nil
	}),
	lenient("dynamic_to_json", value.String, params{isAny}, func(a []value.Value) value.Value {
		return value.NewString(string(appendSorted(nil, a[0])))
	}),
	custom("extract_json", 2, 3, bindExtractJSON),
	custom("extractjson", 2, 3, bindExtractJSON),
	custom("gettype", 1, 1, func(call) (Bound, error) {
		return one(value.String, 5, func(v value.Value) value.Value { return value.NewString(typeOf(v)) }), nil
	}),
	fn("treepath", value.Dynamic, params{isDynamic}, func(a []value.Value) value.Value {
		if !a[0].IsBag() && !a[0].IsArray() {
			return nullAny
		}
		return textArray(treePaths(nil, "", a[0]))
	}),
}

// bindParseJSON binds parse_json(): text that is no JSON becomes a dynamic
// string, empty text null.
func bindParseJSON(c call) (Bound, error) {
	if c.args[0].Kind == value.String {
		return one(value.Dynamic, 30, value.ParseJSON), nil
	}
	return one(value.Dynamic, 2, value.NewDynamic), nil
}

// typeOf names the type that a value has in memory
// (https://learn.microsoft.com/kusto/query/gettype-function).
func typeOf(v value.Value) string {
	switch {
	case v.Kind() != value.Dynamic:
		return v.Kind().String()
	case v.IsNull():
		return "null"
	case v.IsArray():
		return "array"
	case v.IsBag():
		return "dictionary"
	}
	s, _ := v.Scalar()
	return s.Kind().String()
}

// appendSorted appends JSON with the slots of bags sorted by name
// (https://learn.microsoft.com/kusto/query/dynamic-to-json-function).
func appendSorted(b []byte, v value.Value) []byte {
	if v.Kind() != value.Dynamic {
		return v.AppendText(b)
	}
	if elements, ok := v.Array(); ok {
		b = append(b, '[')
		for i, e := range elements {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSorted(b, e)
		}
		return append(b, ']')
	}
	slots, ok := v.Bag()
	if !ok {
		return v.AppendJSON(b)
	}
	slots = slices.Clone(slots)
	slices.SortStableFunc(slots, func(x, y value.Property) int { return strings.Compare(x.Name, y.Name) })
	b = append(b, '{')
	for i, p := range slots {
		if i > 0 {
			b = append(b, ',')
		}
		b = value.NewString(p.Name).AppendJSON(b)
		b = append(b, ':')
		b = appendSorted(b, p.Value)
	}
	return append(b, '}')
}

// treePaths appends the paths to the leaves below v. Elements of an array
// share the index 0.
func treePaths(paths []string, at string, v value.Value) []string {
	visit := func(path string, v value.Value) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
		if v.IsBag() || v.IsArray() {
			paths = treePaths(paths, path, v)
		}
	}
	if slots, ok := v.Bag(); ok {
		for _, p := range slots {
			visit(at+"['"+p.Name+"']", p.Value)
		}
	}
	elements, _ := v.Array()
	for _, e := range elements {
		visit(at+"[0]", e)
	}
	return paths
}

// pathStep is one step of a JSONPath: a name or an index.
type pathStep struct {
	name  string
	index int
	named bool
}

// parsePathSteps reads a JSONPath of names and indexes: $.a['b'][0].
func parsePathSteps(path string) ([]pathStep, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), "$")
	if !ok {
		return nil, fmt.Errorf("JSONPath '%s' must begin with '$'", path)
	}
	var steps []pathStep
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			name, after, ok := strings.Cut(rest[2:], rest[1:2]+"]")
			if !ok {
				return nil, fmt.Errorf("JSONPath '%s' lacks a closing bracket", path)
			}
			steps, rest = append(steps, pathStep{name: name, named: true}), after
		case rest[0] == '[':
			text, after, ok := strings.Cut(rest[1:], "]")
			index, err := strconv.Atoi(text)
			if !ok || err != nil {
				return nil, fmt.Errorf("JSONPath '%s' has an index that is no number", path)
			}
			steps, rest = append(steps, pathStep{index: index}), after
		case rest[0] == '.' && len(rest) > 1:
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, fmt.Errorf("JSONPath '%s' has an empty name", path)
			}
			steps, rest = append(steps, pathStep{name: rest[1 : end+1], named: true}), rest[end+1:]
		default:
			return nil, fmt.Errorf("JSONPath '%s' is not supported", path)
		}
	}
	return steps, nil
}

// follow is what the steps lead to.
func follow(v value.Value, steps []pathStep) (value.Value, bool) {
	for _, s := range steps {
		var ok bool
		if s.named {
			v, ok = v.Field(s.name)
		} else {
			v, ok = v.Index(s.index)
		}
		if !ok {
			return value.Value{}, false
		}
	}
	return v, true
}

// bindExtractJSON binds extract_json(path, source [, type]).
func bindExtractJSON(c call) (Bound, error) {
	if err := (params{isString, isString | isDynamic, isAny}).check(c); err != nil {
		return Bound{}, err
	}
	path, err := c.constant(0)
	if err != nil {
		return Bound{}, err
	}
	steps, err := parsePathSteps(path.Text())
	if err != nil {
		return Bound{}, fmt.Errorf("%s(): %w", c.name, err)
	}
	kind := value.String
	if len(c.args) == 3 {
		if kind, err = c.typeLiteral(2); err != nil {
			return Bound{}, err
		}
	}
	convert := converter(value.Dynamic, kind)
	return Bound{Kind: kind, Cost: 40, Eval: func(a []value.Value) (value.Value, error) {
		source := a[1]
		if source.Kind() == value.String {
			source = value.ParseJSON(source)
		}
		if found, ok := follow(source, steps); ok {
			return convert(found), nil
		}
		return value.Null(kind), nil
	}}, nil
}

// Access binds a subscript: base[key] with the name of a slot or an index,
// also what base.key means. The result is a dynamic, null where nothing is.
func Access(base, key Arg) (Bound, error) {
	if base.Kind != value.Dynamic {
		return Bound{}, refusef("Cannot apply a path to an expression of type %v.", base.Kind)
	}
	var get func(base, key value.Value) (value.Value, bool)
	switch key.Kind {
	case value.String:
		get = func(base, key value.Value) (value.Value, bool) { return base.Field(key.Text()) }
	case value.Int, value.Long, value.Bool:
		get = func(base, key value.Value) (value.Value, bool) {
			if key.IsNull() {
				return value.Value{}, false
			}
			return base.Index(int(key.Int64()))
		}
	case value.Dynamic:
		get = func(base, key value.Value) (value.Value, bool) {
			s, ok := key.Scalar()
			switch {
			case !ok:
				return value.Value{}, false
			case s.Kind() == value.Long:
				return base.Index(int(s.Int64()))
			}
			return base.Field(s.String())
		}
	default:
		return Bound{}, refusef("A subscript must be a string or an integer, found %v.", key.Kind)
	}
	return Bound{Kind: value.Dynamic, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
		if v, ok := get(a[0], a[1]); ok {
			return v, nil
		}
		return nullAny, nil
	}}, nil
}
