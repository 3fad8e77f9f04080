package kql

import "fmt"

// Guarded returns the command that appends the result of a query to a table, at
// most once for its key while an extent of the table carries the tag of the key
// (https://learn.microsoft.com/kusto/management/extent-tags).
func Guarded(table, key string, more []string, query string) string {
	return AppendText("", table, key, more, query)
}

// AppendText is [Guarded] with a mode, "" or "async " for a command that the
// service runs by itself.
func AppendText(mode, table, key string, more []string, query string) string {
	return appendText(mode, table, append([]string{KeyTag(key)}, more...), []string{key}, query)
}

// GuardedBy is [Guarded] for rows of several keys: an extent with the tag of one of
// them keeps the command from appending anything.
func GuardedBy(table string, tags, keys []string, query string) string {
	return appendText("", table, tags, keys, query)
}

func appendText(mode, table string, tags, keys []string, query string) string {
	return fmt.Sprintf(".set-or-append %s%s with (tags = %s, ingestIfNotExists = %s) <|\n%s",
		mode, Ident(table), Tags(tags...), Tags(keys...), query)
}
