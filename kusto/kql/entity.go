package kql

import "strings"

// TableOf is the table of an entity's name: [database].[table].
func TableOf(entity string) string {
	if i := strings.LastIndex(entity, "].["); i >= 0 {
		entity = entity[i+2:]
	}
	return strings.TrimSuffix(strings.TrimPrefix(entity, "["), "]")
}
