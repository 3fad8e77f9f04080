package kusto

import (
	"fmt"
	"time"
)

// tagLife is how long the tags that guard commands are kept: longer than
// anything could still be carried out of what landing tables hold for 14 days.
const tagLife = 60 * 24 * time.Hour

// policies are those of a published table that is ours.
func (o ScriptOptions) policies(table string, keep time.Duration) []Command {
	return []Command{
		retention(table, "softdelete = "+days(keep)+" recoverability = enabled", "how long rows are kept"),
		{
			Kind: MakePolicy, Name: "caching", Table: table, Why: "the newest rows are at hand",
			Text: fmt.Sprintf(".alter table %s policy caching hot = %s", ident(table), days(o.Hot)),
		},
		tagRetention(table),
	}
}

// tagRetention lets the tags of a table's commands expire
// (https://learn.microsoft.com/kusto/management/extent-tags-retention-policy).
func tagRetention(table string) Command {
	return Command{
		Kind: MakePolicy, optional: true, Name: "extent_tags_retention", Table: table, Why: "tags that guard commands are not kept for good",
		Text: fmt.Sprintf(".alter table %s policy extent_tags_retention %s", ident(table),
			literal(fmt.Sprintf(`[{"TagPrefix":"ingest-by:","RetentionPeriod":"%s"}]`, dotted(tagLife)))),
	}
}

// days is a duration as commands take it, in the largest unit that holds it.
func days(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%u.of == 0 {
			return fmt.Sprintf("%d%s", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// dotted is a duration as policies show it: 14.00:00:00.
func dotted(d time.Duration) string {
	return fmt.Sprintf("%d.%02d:%02d:%02d", d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60)
}
