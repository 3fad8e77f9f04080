package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
)

// leastLedger is how long the ledger must keep the runs of any table: a Snapshot
// is rebuilt within that time, and the source keeps events that long.
const leastLedger = ledger.SourceDays * 24 * time.Hour

// checkLedger fails tables whose runs the ledger would lose while readers still
// read their rows, and tables whose newest row cannot be determined. It sends two
// commands for any number of tables. It does not check policies that it cannot
// read. It returns how long tables keep rows; nil if that cannot be read.
func (c *Installer) checkLedger(ctx context.Context, tables []tvmexport.Table, failed map[string]error) (map[string]time.Duration, error) {
	timed, err := c.policy.All(ctx, "check", "ingestiontime")
	if err != nil {
		c.conn.Log.InfoContext(ctx, "kusto: ingestion time policies cannot be read", "error", err)
	}
	for _, name := range []string{kql.ConfigurationTable, kql.RunsTable} {
		if switchedOff(timed[name]) {
			return nil, conn.RefusedError("check", "", fmt.Errorf("the policy ingestiontime of table %s is off: its newest rows cannot be distinguished from older ones", name),
				fmt.Sprintf("run .alter table %s policy ingestiontime true, then append the rows that were written meanwhile again", kql.Ident(name)))
		}
	}
	kept, err := c.policy.Retention(ctx)
	if err != nil {
		c.conn.Log.InfoContext(ctx, "kusto: retention policies cannot be read", "error", err)
		return nil, nil
	}
	for _, t := range tables {
		if failed[t.Name] != nil {
			continue
		}
		for _, name := range []string{kql.RunsTable, kql.PartitionsTable, kql.ConfigurationTable} {
			if keep, ok := kept[name]; ok && keep < neededOf(t, name, kept) {
				failed[t.Name] = conn.RefusedError("check", t.Name,
					fmt.Errorf("table %s keeps rows for %s, but readers need them for %s: exported runs would be forgotten", name, policy.Days(keep), policy.Days(neededOf(t, name, kept))),
					fmt.Sprintf("run .alter-merge table %s policy retention %s", kql.Ident(name), ledgerRetention))
				break
			}
		}
	}
	return kept, nil
}

// neededOf is how long a table of the ledger must keep what it says of t.
func neededOf(t tvmexport.Table, control string, kept map[string]time.Duration) time.Duration {
	if control == kql.RunsTable && t.LoadType != tvmexport.Snapshot {
		return max(leastLedger, kept[t.Destination], kept[t.Typed()])
	}
	return leastLedger
}

// switchedOff reads an ingestiontime policy.
func switchedOff(text string) bool {
	p := struct{ IsEnabled bool }{true}
	return text != "" && json.Unmarshal([]byte(text), &p) == nil && !p.IsEnabled
}
