package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/policy"
)

// tagLife is how long the tags that guard commands are kept: longer than
// anything could still be carried out of what landing tables hold for 14 days.
const tagLife = 60 * 24 * time.Hour

// policies are those of a published table that is ours.
func (o Options) policies(table string, keep time.Duration) []Command {
	kept := retention(table, "softdelete = "+policy.Days(keep)+" recoverability = enabled", "how long rows are kept")
	kept.keep = keep
	return []Command{
		kept,
		{
			Kind: MakePolicy, Name: "caching", Table: table, Why: "the newest rows are at hand", keep: o.Hot,
			Text: fmt.Sprintf(".alter table %s policy caching hot = %s", kql.Ident(table), policy.Days(o.Hot)),
		},
		tagRetention(table),
	}
}

// tagRetention lets the tags of a table's commands expire
// (https://learn.microsoft.com/kusto/management/extent-tags-retention-policy).
func tagRetention(table string) Command {
	document := fmt.Sprintf(`[{"TagPrefix":"ingest-by:","RetentionPeriod":"%s"}]`, policy.Dotted(tagLife))
	return Command{
		Kind: MakePolicy, optional: true, Name: "extent_tags_retention", Table: table, Why: "tags that guard commands are not kept for good", policy: document,
		Text: fmt.Sprintf(".alter table %s policy extent_tags_retention %s", kql.Ident(table), kql.Literal(document)),
	}
}

// standing is what becomes of a policy of an existing table of ours.
type standing struct {
	stands  bool   // it is not set by the command
	differs bool   // and is something else than the command sets
	note    string // what to do then; "" if nothing
}

// policyStands says whether to keep the policy of an existing table of ours: a
// policy that is set is somebody's decision, and no policy that would drop rows is
// set.
func (c *Installer) policyStands(ctx context.Context, cmd Command) (standing, error) {
	text, err := c.policy.Of(ctx, "init", cmd.Table, cmd.Name)
	if err != nil {
		return standing{}, err
	}
	if cmd.keep == 0 {
		return standing{stands: text != "", differs: text != "" && c.otherPolicy(ctx, cmd, text)}, nil
	}
	if cmd.Name == "caching" {
		hot, ok := hotSpan(text)
		out := standing{stands: text != "", differs: text != "" && ok && hot != cmd.keep}
		if out.differs {
			out.note = fmt.Sprintf("table %s has %s of rows in the cache, but the configuration says %s: the policy was not changed; this command changes it: %s", cmd.Table, policy.Days(hot), policy.Days(cmd.keep), cmd.Text)
		}
		return out, nil
	}
	keep, err := c.policy.KeptBy(ctx, text)
	if err != nil || keep == cmd.keep {
		return standing{stands: text != ""}, err
	}
	if text == "" {
		empty, err := c.isEmpty(ctx, cmd.Table)
		if err != nil || empty || keep < cmd.keep {
			return standing{}, err
		}
	}
	return standing{true, true, fmt.Sprintf("table %s keeps rows for %s, but the configuration says %s: the policy was not changed; this command changes it: %s", cmd.Table, policy.Days(keep), policy.Days(cmd.keep), cmd.Text)}, nil
}

// otherPolicy says whether a policy that is set differs from the one of a command
// without a time of its own.
func (c *Installer) otherPolicy(ctx context.Context, cmd Command, text string) bool {
	if cmd.policy == "" { // retention of a landing table
		keep, err := c.policy.KeptBy(ctx, text)
		return err != nil || keep != landingKeeps
	}
	var want, have any
	if json.Unmarshal([]byte(cmd.policy), &want) != nil || json.Unmarshal([]byte(text), &have) != nil {
		return true
	}
	return !within(want, have)
}

// within says whether a JSON value has what another one has. Objects may have more
// members: the service adds some.
func within(want, have any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		for name, value := range w {
			ok = ok && within(value, h[name])
		}
		return ok
	case []any:
		h, ok := have.([]any)
		ok = ok && len(h) == len(w)
		for i := range w {
			ok = ok && within(w[i], h[i])
		}
		return ok
	}
	return want == have
}

func (c *Installer) isEmpty(ctx context.Context, table string) (bool, error) {
	s := conn.Statement{Op: "init", Table: table, Text: fmt.Sprintf("%s\n| take 1\n| summarize Count = count()", kql.Ident(table))}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return false, err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Long("Count") })
	return len(counts) > 0 && counts[0] == 0, err
}

// hotSpan reads how long a caching policy keeps data in the cache; the service
// has shown the span alone and within an object.
func hotSpan(text string) (time.Duration, bool) {
	var p struct{ DataHotSpan json.RawMessage }
	if json.Unmarshal([]byte(text), &p) != nil {
		return 0, false
	}
	var inner struct{ Value string }
	if json.Unmarshal(p.DataHotSpan, &inner.Value) != nil && json.Unmarshal(p.DataHotSpan, &inner) != nil {
		return 0, false
	}
	return policy.Span(inner.Value)
}
