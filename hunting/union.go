package hunting

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// union is a query of several legs. Where it has an intermediate table, each leg is
// what follows the name of that table.
type union struct {
	let  string // the intermediate table; "" if there is none
	legs []string
}

// text is the union as a query of its own, with an intermediate table of the given name.
func (u union) text(table string) string {
	if u.let == "" {
		return strings.Join(u.legs, "")
	}
	legs := make([]string, len(u.legs))
	for i, leg := range u.legs {
		legs[i] = "(" + table + leg + ")"
	}
	return "let " + table + " = " + u.let + ";\nunion " + strings.Join(legs, ", ")
}

// joinedUnions is one query for several unions. Each row of its answer says in the
// column memberColumn, by its number, to which of them it belongs.
func joinedUnions(list []union) string {
	var lets, legs []string
	for i, u := range list {
		table := ""
		if u.let != "" {
			table = fmt.Sprintf("counted%d", i)
			lets = append(lets, "let "+table+" = "+u.let+";\n")
		}
		for _, leg := range u.legs {
			legs = append(legs, fmt.Sprintf("(%s\n| extend %s = %d)", table+leg, memberColumn, i))
		}
	}
	return strings.Join(lets, "") + "union " + strings.Join(legs, ",\n")
}

// memberColumn is the column of a joined answer that says to which query a row belongs.
const memberColumn = "Member"

// phrasing is how queries are written that every table's have in common.
type phrasing struct {
	repeat bool // intermediate tables are not kept, because the service refuses that
}

// kept is an expression whose rows are kept for all their uses in a query, so that
// the service reads the table once
// (https://learn.microsoft.com/kusto/query/materialize-function).
func (p phrasing) kept(table string) string {
	if p.repeat {
		return table
	}
	return "materialize(" + table + ")"
}

// phrasings is what was learned of them.
type phrasings struct{ repeat atomic.Bool }

func (p *phrasings) now() phrasing { return phrasing{repeat: p.repeat.Load()} }

// refused says whether the reason of a refusal is how the query was phrased, and
// changes the phrasing for the queries to come.
func (p *phrasings) refused(asked phrasing, err error) bool {
	if asked.repeat || !refused(err) || !strings.Contains(err.Error(), "materialize") {
		return false
	}
	p.repeat.Store(true)
	return true
}
