package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// The lines of the example: a key with its value and perhaps a comment, also
// where the key itself is commented out (# and two blanks at least).
var (
	keyLine     = regexp.MustCompile(`^(#? *)([A-Za-z_][A-Za-z0-9_]*):(?: .*?)?(?:\s+# (.*))?$`)
	commentLine = regexp.MustCompile(`^( *)# ?(.*)$`)
)

// The comments are not read with goccy's CommentToMap. It gives the same text for
// 35 of the 50 keys. It does not see keys that are commented out, it gives such a
// key as a comment of the next one, and it leaves out comments behind lists.

// Comments are what the example says of each key, by its path: the comment
// behind it, with the lines below that go on at its column; else the block of
// comments above it.
func Comments() (map[string]string, error) { return commentsOf(Example) }

func commentsOf(example string) (map[string]string, error) {
	out := map[string]string{}
	sections := map[string]bool{"": true}
	maps := map[string]bool{}
	sectionsOf(reflect.TypeFor[Config](), "", sections, maps)
	var block []string // the comments above
	var open []string  // keys of the sections that the line is in
	var depth []int    // and their indentation
	last, column := "", 0
	for i, line := range strings.Split(example, "\n") {
		m := keyLine.FindStringSubmatch(line)
		if m != nil && (m[1] == "# " || m[1] == "#") {
			m = nil // prose
		}
		switch {
		case m != nil:
			indent := len(m[1])
			for len(depth) > 0 && indent <= depth[len(depth)-1] {
				open, depth = open[:len(open)-1], depth[:len(depth)-1]
			}
			parent := strings.Join(open, ".")
			key := m[2]
			if maps[parent] {
				key = "*"
			}
			if parent != "" && !sections[parent] && !maps[parent] {
				return nil, fmt.Errorf("line %d of the example: %s is not a section", i+1, parent)
			}
			open, depth = append(open, key), append(depth, indent)
			last, column = strings.Join(open, "."), 0
			if out[last] = m[3]; m[3] != "" {
				column = strings.LastIndex(line, "# "+m[3])
			} else {
				out[last] = strings.Join(block, " ")
			}
			block = nil
		case strings.TrimSpace(line) == "":
			block, column = nil, 0
		default:
			c := commentLine.FindStringSubmatch(line)
			switch {
			case c == nil:
				block = nil
			case column > 0 && len(c[1]) == column:
				out[last] += " " + c[2]
			default:
				block, column = append(block, c[2]), 0
			}
		}
	}
	return out, nil
}

// sectionsOf collects the paths of structs and of maps.
func sectionsOf(t reflect.Type, path string, sections, maps map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		full := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		switch f.Type.Kind() {
		case reflect.Struct:
			sections[full] = true
			sectionsOf(f.Type, full, sections, maps)
		case reflect.Map:
			maps[full] = true
			if f.Type.Elem().Kind() == reflect.Struct {
				sections[full+".*"] = true
				sectionsOf(f.Type.Elem(), full+".*", sections, maps)
			}
		}
	}
}
