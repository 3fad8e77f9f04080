package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// SchemaID names the JSON schema.
const SchemaID = "https://github.com/tvmexport/tvmexport/config.schema.json"

// Schema is the JSON schema (draft 2020-12) of a configuration file, made of
// the types that the file is read into and of the example's comments. Editors
// check and complete by it.
func Schema() ([]byte, error) {
	comments, err := Comments()
	if err != nil {
		return nil, err
	}
	s := schema{comments: comments, words: words()}
	root := s.section(reflect.ValueOf(Default()), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "tvmexport"
	root["description"] = "The configuration of tvmexport, which exports Defender XDR Advanced Hunting tables to Azure Data Explorer or a Fabric Eventhouse."
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("generate the schema: %w", err)
	}
	return append(out, '\n'), nil
}

type schema struct {
	comments map[string]string
	words    map[string][]string
}

type object = map[string]any

// section is the schema of a struct. An empty section is allowed.
func (s schema) section(v reflect.Value, path string) object {
	properties := object{}
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key := tag.Get("yaml")
		full := strings.TrimPrefix(path+"."+key, ".")
		properties[key] = s.of(v.Field(i), full, bounds(tag.Get("bounds")))
	}
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

func (s schema) of(v reflect.Value, path string, b bounds) object {
	out := s.form(v, path, b)
	if text := s.comments[path]; text != "" {
		out["description"] = text
	}
	return out
}

// form is the schema of a value. Every scalar may be given by ${NAME}.
func (s schema) form(v reflect.Value, path string, b bounds) object {
	switch v.Interface().(type) {
	case time.Duration:
		return object{
			"type": "string", "default": v.Interface().(time.Duration).String(),
			"pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$|^0$|\$\{`,
		}
	case Secret:
		return object{"type": []string{"string", "null"}}
	}
	switch v.Kind() {
	case reflect.Struct:
		return s.section(v, path)
	case reflect.Map:
		if v.Type() == reflect.TypeFor[map[string]Tenant]() { // their keys are those of the top
			return object{"type": []string{"object", "null"}, "additionalProperties": s.section(reflect.ValueOf(Default().settings()), "")}
		}
		return object{
			"type":                 []string{"object", "null"},
			"additionalProperties": s.of(reflect.New(v.Type().Elem()).Elem(), path+".*", ""),
		}
	case reflect.Slice:
		return object{"type": []string{"array"}, "items": object{"type": "string"}}
	case reflect.Bool:
		return given(object{"type": "boolean"}, v)
	case reflect.Float64:
		return given(b.schema(object{"type": "number"}), v)
	case reflect.Int:
		return given(b.schema(object{"type": "integer"}), v)
	}
	if words, ok := s.words[path]; ok {
		return given(object{"enum": words}, v)
	}
	return object{"type": []string{"string", "null"}, "default": v.Interface()}
}

// given adds the default, and that a variable may give the value.
func given(form object, v reflect.Value) object {
	return object{
		"anyOf":   []object{form, {"type": "string", "pattern": `\$\{`}},
		"default": v.Interface(),
	}
}

// schema adds the bounds of a number.
func (b bounds) schema(form object) object {
	b.each(func(word string, limit float64, _ string) {
		form[map[string]string{"least": "minimum", "above": "exclusiveMinimum", "most": "maximum"}[word]] = limit
	})
	return form
}

// Uncommented are the keys of the configuration that the example does not
// show, or shows without saying what they are for.
func Uncommented() ([]string, error) {
	comments, err := Comments()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range Fields() {
		if comments[f.Path] == "" {
			out = append(out, f.Path)
		}
	}
	return out, nil
}
