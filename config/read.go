package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/tvmexport/tvmexport/internal/nearest"
)

// Lookup finds an environment variable.
type Lookup func(name string) (string, bool)

// Error is a mistake in a file, at a place that an editor can jump to.
type Error struct {
	File    string
	Line    int // from 1; 0 if the mistake has no place
	Column  int
	Message string
}

// Error is "file:line:column: message".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// File reads the file at path over the defaults, then the environment over
// both. An empty path means that there is no file. The values are checked.
func File(path string, env Lookup) (Config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
	}
	c, err := Parse(path, text, env)
	if err != nil {
		return Config{}, err
	}
	if err := c.Check(); err != nil {
		if path == "" {
			path = "configuration (no file; see tvmexport config example)"
		}
		return Config{}, &Error{File: path, Message: err.Error()}
	}
	return c, nil
}

// Parse reads text, the content of the file called name, and the environment.
// It does not check values beyond their types.
func Parse(name string, text []byte, env Lookup) (Config, error) {
	c := Default()
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Config{}, placed(name, err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if err := decode(name, doc.Body, reflect.ValueOf(&c).Elem(), "", env); err != nil {
			return Config{}, err
		}
	}
	if err := override(reflect.ValueOf(&c).Elem(), "TVMEXPORT", env); err != nil {
		return Config{}, err
	}
	return c, nil
}

func placed(name string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		at := y.GetToken().Position
		return &Error{File: name, Line: at.Line, Column: at.Column, Message: y.GetMessage()}
	}
	return &Error{File: name, Message: err.Error()}
}

// decode sets the fields of to, a struct, from the mapping at n.
func decode(name string, n ast.Node, to reflect.Value, path string, env Lookup) error {
	fail := func(at ast.Node, format string, args ...any) error {
		p := at.GetToken().Position
		return &Error{File: name, Line: p.Line, Column: p.Column, Message: fmt.Sprintf(format, args...)}
	}
	if _, null := n.(*ast.NullNode); null {
		return nil
	}
	var pairs []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	default:
		return fail(n, "%s must hold keys and values", or(path, "the file"))
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		full := strings.TrimPrefix(path+"."+key, ".")
		field, ok := fieldOf(to, key)
		if !ok {
			message := fmt.Sprintf("unknown key %q", full)
			if near := nearest.Of(key, keysOf(to.Type()), len(key)/2+1); near != "" {
				message += fmt.Sprintf("; did you mean %q?", strings.TrimPrefix(path+"."+near, "."))
			}
			return fail(pair.Key, "%s", message)
		}
		if field.Kind() == reflect.Struct {
			if err := decode(name, pair.Value, field, full, env); err != nil {
				return err
			}
			continue
		}
		if err := scalar(pair.Value, field, full, env); err != nil {
			return fail(pair.Value, "%s", err)
		}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// scalar sets a field that is not a section.
func scalar(n ast.Node, to reflect.Value, path string, env Lookup) error {
	if to.Kind() == reflect.Slice {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			return fmt.Errorf("%s must be a list", path)
		}
		var list []string
		for _, v := range seq.Values {
			s, err := expand(plain(v), env)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			list = append(list, s)
		}
		to.Set(reflect.ValueOf(list))
		return nil
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return fmt.Errorf("%s must be a single value", path)
	}
	s, err := expand(plain(n), env)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return set(to, s, path)
}

// plain is a scalar's text; empty for null.
func plain(n ast.Node) string {
	switch v := n.(type) {
	case *ast.NullNode:
		return ""
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	}
	return n.GetToken().Value
}

func set(to reflect.Value, s, path string) error {
	switch to.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be a duration such as 15m or 1h30m", path, s)
		}
		to.SetInt(int64(d))
	case float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be a number", path, s)
		}
		to.SetFloat(f)
	case int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be a whole number", path, s)
		}
		to.SetInt(int64(n))
	case string:
		to.SetString(s)
	case []string:
		to.Set(reflect.ValueOf(strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })))
	default:
		return fmt.Errorf("%s cannot be set", path)
	}
	return nil
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} by the variable's value.
func expand(s string, env Lookup) (string, error) {
	var missing error
	out := reference.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		v, ok := env(name)
		if !ok && missing == nil {
			missing = fmt.Errorf("the environment has no variable %s", name)
		}
		return v
	})
	return out, missing
}

// override sets every scalar that has a variable of its own.
func override(to reflect.Value, prefix string, env Lookup) error {
	for i := range to.NumField() {
		key := to.Type().Field(i).Tag.Get("yaml")
		name := prefix + "_" + strings.ToUpper(key)
		if to.Field(i).Kind() == reflect.Struct {
			if err := override(to.Field(i), name, env); err != nil {
				return err
			}
			continue
		}
		if v, ok := env(name); ok {
			if err := set(to.Field(i), v, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func fieldOf(to reflect.Value, key string) (reflect.Value, bool) {
	for i := range to.NumField() {
		if to.Type().Field(i).Tag.Get("yaml") == key {
			return to.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("yaml"))
	}
	return keys
}
