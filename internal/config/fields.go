package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Field is one key of the configuration.
type Field struct {
	Path string       // kusto.cluster; the names of tables as *
	Type reflect.Type // of its value

	value  reflect.Value
	bounds bounds
}

// Name is the last part of the path.
func (f Field) Name() string { return f.Path[strings.LastIndexByte(f.Path, '.')+1:] }

// Fields are all keys that hold a value, in the order of the example.
func Fields() []Field { return Config{}.fields() }

// fields are all keys with the values of c.
func (c Config) fields() []Field {
	var out []Field
	walk(reflect.ValueOf(c), "", func(f Field) { out = append(out, f) })
	return out
}

func walk(section reflect.Value, path string, visit func(Field)) {
	for i := range section.NumField() {
		tag := section.Type().Field(i).Tag
		f := Field{
			Path: strings.TrimPrefix(path+"."+tag.Get("yaml"), "."), Type: section.Field(i).Type(),
			value: section.Field(i), bounds: bounds(tag.Get("bounds")),
		}
		switch f.Type.Kind() {
		case reflect.Struct:
			walk(f.value, f.Path, visit)
		case reflect.Map:
			if f.Type == reflect.TypeFor[map[string]Tenant]() {
				continue // their keys are those of the top
			}
			entry := Field{Path: f.Path + ".*", Type: f.Type.Elem(), value: reflect.New(f.Type.Elem()).Elem()}
			if entry.Type.Kind() == reflect.Struct {
				walk(entry.value, entry.Path, visit)
			} else {
				visit(entry)
			}
		default:
			visit(f)
		}
	}
}

// bounds are the least and the most that a value may be, as a tag of its field
// says: words least=, above= and most=, each with a number or a duration.
type bounds string

// each gives each word with its number; durations are numbers of nanoseconds.
func (b bounds) each(f func(word string, limit float64, text string)) {
	for part := range strings.FieldsSeq(string(b)) {
		word, text, _ := strings.Cut(part, "=")
		limit, err := strconv.ParseFloat(text, 64)
		if d, derr := time.ParseDuration(text); err != nil && derr == nil {
			limit = float64(d)
		}
		f(word, limit, text)
	}
}

// check says in what way a value is out of its bounds.
func (b bounds) check(f Field) error {
	ok := true
	var limits []string
	b.each(func(word string, limit float64, text string) {
		var value float64
		if f.value.CanFloat() {
			value = f.value.Float()
		} else {
			value = float64(f.value.Int())
		}
		switch word {
		case "least":
			ok = ok && value >= limit
			limits = append(limits, "at least "+text)
		case "above":
			ok = ok && value > limit
			limits = append(limits, "above "+text)
		case "most":
			ok = ok && value <= limit
			limits = append(limits, "at most "+text)
		}
	})
	if ok {
		return nil
	}
	return wrong(f.Path, "is %s; it must be %s", fmt.Sprint(f.value.Interface()), strings.Join(limits, " and "))
}
