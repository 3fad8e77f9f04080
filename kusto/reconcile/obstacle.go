package reconcile

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// Obstacle is why a pair cannot be compared.
type Obstacle struct {
	Table string
	Why   string // a sentence about the table
	Fix   string // what to do: a command, or a part of a sentence
}

// known is what a decision is made of.
type known struct {
	tables    map[string]ledger.TableStatus // by name
	functions map[string]conn.FunctionInfo
	prefix    string
	policy    func(table string) tvmexport.ColumnPolicy
}

// obstacles are all that keeps a pair from being compared, so that people can remove
// them at once.
func (k known) obstacles(p catalog.Pair) []Obstacle {
	var out []Obstacle
	for _, table := range p.Tables() {
		if o, ok := k.ofTable(table); !ok {
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		out = k.ofColumns(p)
	}
	return out
}

// ofTable says whether a table can be compared.
func (k known) ofTable(table string) (o Obstacle, ok bool) {
	bar := func(fix, format string, args ...any) (Obstacle, bool) {
		return Obstacle{Table: table, Why: fmt.Sprintf(format, args...), Fix: fix}, false
	}
	s, configured := k.tables[table]
	function := k.prefix + table + "AsOf"
	found, exists := k.functions[function]
	switch {
	case !configured:
		return bar("tvmexport tables add "+table, "it is not exported")
	case !s.Order.Active:
		return bar("tvmexport tables resume "+table, "it is paused")
	case s.Order.Err != nil:
		return bar("append a corrected row to "+kql.ConfigurationTable, "its row in %s is not valid", kql.ConfigurationTable)
	case s.Order.Load != tvmexport.Snapshot:
		return bar(fmt.Sprintf("append a row with the LoadType %s to %s", tvmexport.Snapshot, kql.ConfigurationTable), "its load type is %s, but only states can be compared", s.Order.Load)
	case s.Last == nil:
		return bar("tvmexport run --table "+table, "no run of it is committed")
	case !exists:
		return bar("tvmexport init --table "+table, "its function %s does not exist", function)
	case found.Folder != kql.Folder:
		return bar("set functions.prefix, then tvmexport init --table "+table, "the function %s was not created by tvmexport", function)
	}
	return o, true
}

// ofColumns are the columns of the key by which rows cannot be compared: for what the
// configuration says of them, or because the last run did not show them. AsOf shows a
// column that the source has dropped without values, so that all rows would differ.
func (k known) ofColumns(p catalog.Pair) (out []Obstacle) {
	for _, table := range p.Tables() {
		shown := k.tables[table].Last.Shown // nil: an earlier version has committed
		for _, column := range p.Key {
			if shown == nil || k.policy(table).Excludes(column) || slices.ContainsFunc(shown, func(c tvmexport.Column) bool { return c.Name == column }) {
				continue
			}
			out = append(out, Obstacle{
				Table: table, Why: "its last run did not publish the column " + column,
				Fix: "tvmexport run --table " + table + " publishes it, if the source has it",
			})
		}
	}
	for _, h := range p.Hidden(k.policy) {
		o := Obstacle{
			Table: h.Table, Why: "its column " + h.Column + " is not published",
			Fix: "publish the column, see tables." + h.Table + " in the configuration",
		}
		if h.Pseudonym {
			o.Why = "its column " + h.Column + " is published as a pseudonym"
			o.Fix = "pseudonymise it in all tables of the pair, or in none"
		}
		out = append(out, o)
	}
	return out
}
