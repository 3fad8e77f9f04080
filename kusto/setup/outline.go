package setup

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// Planned is the part of a planned run that the destination carries out.
type Planned struct {
	Table      tvmexport.Table
	Slices     int // batches to land
	Steps      int // commands that publish
	Partitions int // that the ledger would record
}

// Outline returns the commands that a planned run would send, one line for each
// kind of command, with their number.
func (c *Inspector) Outline(ctx context.Context, p Planned) ([]string, error) {
	inv, err := c.conn.Schema(ctx, "plan", false)
	if err != nil {
		return nil, err
	}
	t := p.Table
	var out []string
	add := func(n int, format string, args ...any) {
		if n > 0 {
			out = append(out, fmt.Sprintf("%d x ", n)+fmt.Sprintf(format, args...))
		}
	}
	add(p.Slices, "blob and message of queued ingestion into %s", t.Landing())
	if _, typed := inv.Tables[t.Typed()]; typed && t.Layout.Typed() {
		add(p.Steps, ".set-or-append async %s <| %s", t.Typed(), t.Landing())
	}
	if t.Layout.Raw() {
		add(p.Steps, ".set-or-append async %s <| %s", t.Destination, t.Landing())
	}
	add(2, ".set-or-append %s (publishing, committed)", kql.RunsTable)
	add((p.Partitions+ledger.PartitionsPerCommand-1)/ledger.PartitionsPerCommand, ".set-or-append %s", kql.PartitionsTable)
	add(1, ".drop extents (...) from %s", t.Landing())
	return out, nil
}

// Overhead is what an invocation sends for all its tables together.
func Overhead() []string {
	return []string{
		".set-or-append " + kql.RunsTable + " (lease, renewed each minute; end)",
		".set-or-append " + kql.ConfigurationTable + " (watermarks)",
		".set-or-append " + kql.AuditTable,
	}
}
