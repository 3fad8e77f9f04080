package visibility

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// tablesUnder are the tables on which a policy that can be switched on is on.
// The answer is one row: a cut cannot make it shorter.
func (c *Checker) tablesUnder(ctx context.Context, op, policy string) (map[string]bool, error) {
	s := conn.Statement{Op: op, Idempotent: true, Text: ".show table * policy " + policy + policiesInOneRow}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	lists, err := conn.ReadRows(s, rows, func(r *conn.Reader) [][2]string {
		var list [][2]string
		if text := r.Document("Policies"); r.Err == nil {
			r.Fail("Policies", json.Unmarshal(text, &list))
		}
		return list
	})
	if err != nil {
		return nil, err
	}
	if len(lists) != 1 {
		return nil, conn.RefusedError(op, "", fmt.Errorf("the answer of the service: %d rows instead of one", len(lists)), "")
	}
	on := map[string]bool{}
	for _, p := range lists[0] {
		if entity, text := p[0], p[1]; SwitchedOn(text) {
			on[kql.TableOf(entity)] = true
		}
	}
	return on, nil
}

const policiesInOneRow = ` | where isnotempty(Policy) and Policy != "null" | summarize Policies = make_list(pack_array(EntityName, Policy))`

// SwitchedOn reads a policy such as {"IsEnabled":true,...} or true. One that
// is there and cannot be read counts as on: what it does is found out by
// counting.
func SwitchedOn(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		return false
	}
	var on bool
	if json.Unmarshal([]byte(text), &on) == nil {
		return on
	}
	p := struct{ IsEnabled *bool }{}
	if json.Unmarshal([]byte(text), &p) != nil || p.IsEnabled == nil {
		return true
	}
	return *p.IsEnabled
}
