// Package jsonnames lists the names and types of JSON documents. Tests compare them with lists that an earlier version
// made: names in databases, in printed JSON and in metrics outlive the Go identifiers they come from.
package jsonnames

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

var (
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
)

// Of lists the members of v's type as encoding/json writes them: one line for each, with its path below root, its
// JSON type, and "optional" if it is omitted when it is empty. [] in a path stands for the elements of a list, {} for
// the values of a map.
func Of(root string, v any) []string {
	w := walk{}
	w.value(root, "", reflect.TypeOf(v))
	return w.lines
}

// walk collects lines. open are the types that are being listed: one that contains itself ends there.
type walk struct {
	lines []string
	open  []reflect.Type
}

func (w *walk) add(path, kind, note string) {
	w.lines = append(w.lines, strings.TrimSpace(strings.Join([]string{path, kind, note}, " ")))
}

// value lists a value of a type at a path.
func (w *walk) value(path, note string, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		w.add(path, "time", note)
	case t == rawType:
		w.add(path, "any", note)
	case implements(t, marshalerType):
		w.add(path, "custom", note)
	case implements(t, textType):
		w.add(path, "string", note)
	default:
		w.plain(path, note, t)
	}
}

// plain lists a value of a type that encoding/json writes by its kind.
func (w *walk) plain(path, note string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		if path != "" {
			w.add(path, "object", note)
		}
		w.members(path, t)
	case reflect.Slice, reflect.Array:
		w.add(path, "array", note)
		w.value(path+"[]", "", t.Elem())
	case reflect.Map:
		w.add(path, "object", note)
		w.value(path+"{}", "", t.Elem())
	case reflect.String:
		w.add(path, "string", note)
	case reflect.Bool:
		w.add(path, "boolean", note)
	case reflect.Float32, reflect.Float64:
		w.add(path, "number", note)
	case reflect.Interface:
		w.add(path, "any", note)
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Invalid:
		panic(fmt.Sprintf("%s is a %s, which JSON does not have", path, t))
	default:
		w.add(path, "integer", note)
	}
}

// members lists the members of a struct, with those of structs that are embedded in it.
func (w *walk) members(path string, t reflect.Type) {
	for _, open := range w.open {
		if open == t {
			return
		}
	}
	w.open = append(w.open, t)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Tag.Get("json") == "-":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			w.members(path, f.Type)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		note := ""
		if strings.Contains(options, "omit") {
			note = "optional"
		}
		w.value(join(path, name), note, f.Type)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func implements(t, iface reflect.Type) bool {
	return t.Implements(iface) || reflect.PointerTo(t).Implements(iface)
}
