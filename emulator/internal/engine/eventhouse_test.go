package engine

import (
	"strings"
	"testing"
)

// What the documentation promises for Azure Data Explorer only is refused in an
// Eventhouse, within scripts too, and by name.
func TestEventhouseRefusals(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Eventhouse = true })
	b.run(".create table T (a: long)")
	b.run(".create table S (a: long)")
	for _, csl := range []string{
		".replace extents in table T <| {.show table T extents}, {.show table S extents}",
		".move extents all from table S to table T",
		".drop table T extent tags ('x')", ".alter extent tags ('x') <| .show table T extents",
		".alter table T policy streamingingestion enable", ".show table T policy streamingingestion",
		".delete table T policy streamingingestion", ".show table T policy sharding",
		".alter database db prettyname 'x'", ".delete table T records <| T | where a == 1",
		".execute database script with (ThrowOnErrors=true) <|\n.alter table T policy streamingingestion enable",
	} {
		if _, _, err := b.try(root, csl); err == nil || !strings.Contains(err.Error(), "documented for Azure Data Explorer only") {
			t.Errorf("%s: %v, want a refusal that names the service", csl, err)
		}
	}
	for _, csl := range []string{
		".set-or-append T with (tags='[\"drop-by:x\"]') <| print a = 1", ".show table T extents", ".alter table T policy retention softdelete = 30d",
		".drop extents <| .show table T extents where tags has 'drop-by:x'", ".alter table T policy ingestionbatching '{\"MaximumBatchingTimeSpan\":\"00:00:10\"}'",
	} {
		b.run(csl)
	}
	if !b.StreamingEnabled("db", "T") {
		t.Error("streaming ingestion is off, want it on by default")
	}
}
