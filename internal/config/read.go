package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/tvmexport/tvmexport/internal/nearest"
	"github.com/tvmexport/tvmexport/internal/smallfile"
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

// Mistakes are all that is wrong with a configuration, in the order of the file.
type Mistakes []error

// Error is one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, err := range m {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap are the mistakes.
func (m Mistakes) Unwrap() []error { return m }

// File reads the file at path over the defaults, then the environment over
// both. An empty path means that there is no file. The values are checked.
// The error lists every mistake that was found.
func File(path string, env Lookup) (Config, error) {
	c, _, err := Load(path, env)
	return c, err
}

// Load is like File, and reads the tenants too: those of the file, and those of the
// folder that it names, by name. A tenant whose own file cannot be used is a member
// with an error; one in the configuration file itself is a mistake of that file.
func Load(path string, env Lookup) (Config, []Member, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = smallfile.Read(path, mostBytes); err != nil {
			return Config{}, nil, fmt.Errorf("read the configuration: %w", err)
		}
	}
	r := reading{file: path, env: env, places: map[string]place{}}
	c, err := r.read(text)
	if err != nil {
		return Config{}, nil, err
	}
	if err := c.Check(); err != nil {
		return Config{}, nil, r.locate(err)
	}
	if c.Fleet.Engine == Distributed && !c.HasTenants() {
		return Config{}, nil, r.locate(wrong("fleet.engine", "is %q, but there are no tenants; name them in tenants or tenants_dir, also if there is only one", Distributed))
	}
	for _, m := range r.members {
		if err := r.checkMember(m.Config, m.Name, "tenants."+m.Name); err != nil {
			r.mistakes = append(r.mistakes, err)
		}
	}
	if err := r.told(); err != nil {
		return Config{}, nil, err
	}
	members := r.members
	if c.TenantsDir != "" {
		more, err := r.inFolder(c)
		if err != nil {
			return Config{}, nil, err
		}
		members = append(members, more...)
	}
	apart(members)
	return c, members, nil
}

// Parse reads text, the content of the file called name, and the environment.
// It does not check values beyond their types.
func Parse(name string, text []byte, env Lookup) (Config, error) {
	r := reading{file: name, env: env, places: map[string]place{}}
	return r.read(text)
}

// reading is the state of one reading.
type reading struct {
	file     string
	env      Lookup
	places   map[string]place // where each key was given
	mistakes Mistakes
	tenants  ast.Node // the tenants of the file; they are read when the top is known
	members  []Member
	above    *reading // of the configuration file, if this is the file of a tenant
}

// place is where a value was given: in the file, or by a variable.
type place struct {
	line, column int
	variable     string
}

func (r *reading) read(text []byte) (Config, error) {
	c := Default()
	body, err := r.parse(text)
	if err != nil {
		return Config{}, err
	}
	to := reflect.ValueOf(&c).Elem()
	if body != nil {
		r.decode(body, to, "")
	}
	r.override(to, "", prefix)
	r.readSecrets(to, "")
	r.members = r.inline(&c)
	if err := r.told(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// told are the mistakes that were found, the first ones if there are many.
func (r *reading) told() error {
	if len(r.mistakes) > mostMistakes {
		r.mistakes = append(r.mistakes[:mostMistakes], &Error{File: r.file, Message: "there are more errors; these are the first"})
	}
	if len(r.mistakes) > 0 {
		return r.mistakes
	}
	return nil
}

// locate says where the value was given that a check found wrong.
func (r *reading) locate(err error) error {
	var wrong *Wrong
	if !errors.As(err, &wrong) {
		return &Error{File: r.file, Message: shown(err.Error(), mostMessage)}
	}
	err = &Wrong{Key: wrong.Key, Text: shown(wrong.Text, mostMessage)}
	at, ok := r.places[wrong.Key]
	switch {
	case !ok && r.file == "":
		return &Error{File: "configuration (no file; see tvmexport config example)", Message: err.Error()}
	case at.variable != "":
		return &Error{File: at.variable, Message: err.Error()}
	}
	return &Error{File: r.file, Line: at.line, Column: at.column, Message: err.Error()}
}

func placed(name string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		at := y.GetToken().Position
		return &Error{File: name, Line: at.Line, Column: at.Column, Message: shown(y.GetMessage(), mostMessage)}
	}
	return &Error{File: name, Message: shown(err.Error(), mostMessage)}
}

// fail notes a mistake at a node.
func (r *reading) fail(at ast.Node, format string, args ...any) {
	p := at.GetToken().Position
	r.mistakes = append(r.mistakes, &Error{File: r.file, Line: p.Line, Column: p.Column, Message: shown(fmt.Sprintf(format, args...), mostMessage)})
}

// pairs are the keys and values of a mapping.
func (r *reading) pairs(n ast.Node, path string) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	default:
		r.fail(n, "%s must contain keys and values", or(path, "the file"))
	}
	return nil
}

// decode sets the fields of to, a struct, from the mapping at n.
func (r *reading) decode(n ast.Node, to reflect.Value, path string) {
	for _, pair := range r.pairs(n, path) {
		if len(r.mistakes) > mostMistakes {
			return
		}
		key := shown(pair.Key.GetToken().Value, mostShown)
		full := strings.TrimPrefix(path+"."+key, ".")
		field, ok := fieldOf(to, key)
		if !ok {
			r.fail(pair.Key, "%s", unknownKey(key, path, to.Type()))
			continue
		}
		at := pair.Value.GetToken().Position
		r.places[full] = place{line: at.Line, column: at.Column}
		r.value(pair.Value, field, full)
	}
}

// value sets what one key holds.
func (r *reading) value(n ast.Node, to reflect.Value, path string) {
	if to.Type() == reflect.TypeFor[map[string]Tenant]() {
		r.tenants = n
		return
	}
	if _, list := n.(*ast.SequenceNode); list && path == "destination" {
		r.fail(n, "destination is one of %s: an export to several destinations needs a configuration for each", strings.Join(Destinations, " and "))
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		r.decode(n, to, path)
	case reflect.Map:
		r.entries(n, to, path)
	default:
		if err := scalar(n, to, path, r.env); err != nil {
			r.fail(n, "%s", err)
		}
	}
}

// entries sets entries of a map, whose keys are names of the user's choice. An entry
// that the map has already keeps what n does not name.
func (r *reading) entries(n ast.Node, to reflect.Value, path string) {
	out := reflect.MakeMap(to.Type())
	for name, v := range to.Seq2() {
		out.SetMapIndex(name, v)
	}
	for _, pair := range r.pairs(n, path) {
		if len(r.mistakes) > mostMistakes {
			return
		}
		key := pair.Key.GetToken().Value
		full := path + "." + key
		at := pair.Key.GetToken().Position
		r.places[full] = place{line: at.Line, column: at.Column}
		v := reflect.New(to.Type().Elem()).Elem()
		if has := out.MapIndex(reflect.ValueOf(key)); has.IsValid() {
			v.Set(has)
		}
		r.value(pair.Value, v, full)
		out.SetMapIndex(reflect.ValueOf(key), v)
	}
	if out.Len() > 0 {
		to.Set(out)
	}
}

// unknownKey says what may have been meant: the same key in another section,
// else one like it in the same section.
func unknownKey(key, path string, section reflect.Type) string {
	message := fmt.Sprintf("unknown key %q", strings.TrimPrefix(path+"."+key, "."))
	if strings.HasSuffix(path, "auth") && (strings.Contains(key, "secret") || strings.Contains(key, "password")) {
		name := "client_secret_file"
		if strings.Contains(key, "password") {
			name = "certificate_password_file"
		}
		return message + "; secrets do not belong here: put it into a file and set " + path + "." + name + " to its path"
	}
	near := ""
	for _, f := range Fields() {
		if near == "" && f.Name() == key {
			near = f.Path
		}
	}
	if k := nearest.Of(key, keysOf(section), len(key)/2+1); near == "" && k != "" {
		near = strings.TrimPrefix(path+"."+k, ".")
	}
	if near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return message
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
			if err := unresolved(path, s, false); err != nil {
				return err
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
	if err := unresolved(path, s, to.Type() == reflect.TypeFor[Secret]()); err != nil {
		return err
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
		d, err := duration(s)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be a duration such as 15m, 1h30m or 7d", path, shown(s, mostShown))
		}
		to.SetInt(int64(d))
	case float64:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be a number", path, shown(s, mostShown))
		}
		to.SetFloat(f)
	case int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be an integer", path, shown(s, mostShown))
		}
		to.SetInt(int64(n))
	case string:
		to.SetString(s)
	case Secret:
		to.SetString(s)
	case bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%s is %q; it must be true or false", path, shown(s, mostShown))
		}
		to.SetBool(b)
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
			missing = fmt.Errorf("the environment variable %s is not set", name)
		}
		return v
	})
	return out, missing
}

// override sets every scalar that has a variable of its own.
func (r *reading) override(to reflect.Value, path, section string) {
	for i := range to.NumField() {
		key := to.Type().Field(i).Tag.Get("yaml")
		name := section + "_" + strings.ToUpper(key)
		full := strings.TrimPrefix(path+"."+key, ".")
		switch to.Field(i).Kind() {
		case reflect.Struct:
			r.override(to.Field(i), full, name)
			continue
		case reflect.Map:
			continue
		}
		v, ok := r.env(name)
		if !ok {
			continue
		}
		r.places[full] = place{variable: name}
		err := unresolved(name, v, to.Field(i).Type() == reflect.TypeFor[Secret]())
		if err == nil {
			err = set(to.Field(i), v, name)
		}
		if err != nil {
			r.mistakes = append(r.mistakes, err)
		}
	}
}

// readSecrets sets each secret whose value comes from a file. A value of a variable
// counts before a file, and a file that a variable names before a value in the
// configuration file.
func (r *reading) readSecrets(to reflect.Value, path string) {
	for i := range to.NumField() {
		key := to.Type().Field(i).Tag.Get("yaml")
		full := strings.TrimPrefix(path+"."+key, ".")
		if to.Field(i).Kind() == reflect.Struct {
			r.readSecrets(to.Field(i), full)
		}
		if to.Field(i).Type() != reflect.TypeFor[Secret]() {
			continue
		}
		neighbour, _ := fieldOf(to, key+fileSuffix)
		file, from := neighbour.String(), r.places[full+fileSuffix]
		if file == "" || r.places[full].variable != "" || to.Field(i).String() != "" && from.variable == "" {
			continue
		}
		text, err := smallfile.Read(file, smallfile.Secret)
		secret := strings.TrimSpace(string(text))
		switch {
		case err != nil:
			r.mistakes = append(r.mistakes, r.locate(wrong(full+fileSuffix, "cannot be used: %v", err)))
		case secret == "":
			r.mistakes = append(r.mistakes, r.locate(wrong(full+fileSuffix, "names the file %s, which is empty", shown(file, mostShown))))
		default:
			to.Field(i).SetString(secret)
		}
	}
}

// fileSuffix ends the keys of files that hold the secret of the key without it.
const fileSuffix = "_file"

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
