package kql

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// MappingPath is one column of a JSON mapping and the path of its value in a record
// (https://learn.microsoft.com/kusto/management/json-mapping).
type MappingPath struct{ Column, Path string }

// MappingJSON is the mapping as commands take it.
func MappingJSON(paths []MappingPath) string {
	type properties struct{ Path string }
	type entry struct {
		Column     string     `json:"column"`
		Properties properties `json:"Properties"`
	}
	list := make([]entry, len(paths))
	for i, p := range paths {
		list[i] = entry{p.Column, properties{p.Path}}
	}
	b, _ := json.Marshal(list) // strings always marshal
	return string(b)
}

// ReadMapping reads a mapping as the service shows it. The case of keys
// does not matter, and the path can be in Properties or next to the
// column: both are shown by services of different age. A column that takes its
// value from anything but a path comes with the path "".
func ReadMapping(text string) ([]MappingPath, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read ingestion mapping %.200q: %w", text, err)
	}
	out := make([]MappingPath, 0, len(list))
	for _, entry := range list {
		entry = lowerKeys(entry)
		var nested map[string]json.RawMessage
		if raw, ok := entry["properties"]; ok && json.Unmarshal(raw, &nested) == nil {
			for k, v := range lowerKeys(nested) {
				if _, taken := entry[k]; !taken {
					entry[k] = v
				}
			}
		}
		p := MappingPath{Column: firstText(entry, "column", "name"), Path: firstText(entry, "path")}
		if t := firstText(entry, "transform", "transformationmethod"); t != "" && !strings.EqualFold(t, "none") {
			p.Path = ""
		}
		if firstText(entry, "constvalue") != "" {
			p.Path = ""
		}
		out = append(out, p)
	}
	return out, nil
}

func lowerKeys(in map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(in))
	for k, v := range in {
		out[strings.ToLower(k)] = v
	}
	return out
}

// firstText is the first of keys that holds a string.
func firstText(m map[string]json.RawMessage, keys ...string) string {
	for _, k := range keys {
		var s string
		if json.Unmarshal(m[k], &s) == nil && s != "" {
			return s
		}
	}
	return ""
}

// SameMapping says whether two mappings fill the same columns from the same
// paths. The order does not matter, and $.a and $['a'] are one path.
func SameMapping(a, b []MappingPath) bool {
	return slices.Equal(sortedPaths(a), sortedPaths(b))
}

func sortedPaths(in []MappingPath) []MappingPath {
	out := make([]MappingPath, len(in))
	for i, p := range in {
		if key, ok := strings.CutPrefix(p.Path, "$['"); ok && strings.HasSuffix(key, "']") {
			p.Path = "$." + strings.TrimSuffix(key, "']")
		}
		out[i] = p
	}
	slices.SortFunc(out, func(a, b MappingPath) int { return strings.Compare(a.Column, b.Column) })
	return out
}
