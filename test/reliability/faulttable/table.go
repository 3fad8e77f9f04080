// Package faulttable holds, as data, every kind of request that the exporter sends
// and every way in which its answer can be wrong. Each cell of this table names
// the faults that chaos draws for it, the test that covers it, or the reason why
// it cannot occur. docs/reliability.md shows the table.
package faulttable

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// Way is a way in which an answer can be wrong.
type Way string

// The ways.
const (
	Refused  Way = "refused temporarily"
	Barred   Way = "refused permanently"
	Late     Way = "late"
	Cut      Way = "truncated"
	Empty    Way = "empty"
	Null     Way = "null"
	Repeated Way = "repeated"
	Older    Way = "outdated"
	Retyped  Way = "wrong type"
	Hidden   Way = "rows hidden"
	HTML     Way = "HTML"
	TooLarge Way = "too large"
)

// Ways are all of them, in the order of the table's columns.
func Ways() []Way {
	return []Way{Refused, Barred, Late, Cut, Empty, Null, Repeated, Older, Retyped, Hidden, HTML, TooLarge}
}

// Group is a set of requests whose answers go wrong in the same ways.
type Group string

// The groups.
const (
	Counts    Group = "counts"    // hunting queries whose answers decide what is fetched
	Rows      Group = "rows"      // hunting queries for rows
	Tokens    Group = "tokens"    // sign-in
	Metadata  Group = "metadata"  // how and where to sign in
	Reads     Group = "reads"     // Kusto queries whose answers decide what is done
	Shows     Group = "shows"     // management commands that read
	Writes    Group = "writes"    // management commands that append to the control tables
	Steps     Group = "steps"     // the commands that publish
	Changes   Group = "changes"   // management commands that make, alter and drop
	Resources Group = "resources" // where the ingestion service wants uploads
	Uploads   Group = "uploads"   // blobs
	Messages  Group = "messages"  // queues
	Delivery  Group = "delivery"  // what the ingestion service does with a message
)

// Request is a kind of request, a row of the table.
type Request struct {
	Name     string
	Group    Group
	Endpoint faults.Endpoint
	// Match is text that the requests of this kind hold, and that no kind of the
	// same endpoint above it in the table holds.
	Match string
	// Rare says why chaos, which makes runs, does not send it; "" if it does.
	Rare string
}

// Classify finds the kind of a request that was seen.
func Classify(at faults.Endpoint, text string) (Request, bool) {
	for _, r := range Requests() {
		if sameService(r.Endpoint, at) && strings.Contains(text, r.Match) {
			return r, true
		}
	}
	return Request{}, false
}

// sameService says whether two endpoints take the same requests: the three fronts
// of hunting do.
func sameService(a, b faults.Endpoint) bool {
	hunting := []faults.Endpoint{faults.Graph, faults.XDR, faults.MDE}
	return a == b || slices.Contains(hunting, a) && slices.Contains(hunting, b)
}

// Fault is a fault that chaos draws.
type Fault struct {
	Name   string
	Way    Way
	Groups []Group
	// Wide is set where Make says itself which requests are hit.
	Wide bool
	// Make throws the dice for a rule. Unless the fault is wide, the endpoint and
	// the text that is looked for are those of the request that it is drawn for.
	Make func(Dice) faults.Rule
}

// Covers says whether the fault belongs to the row of a request.
func (f Fault) Covers(r Request) bool { return slices.Contains(f.Groups, r.Group) }

// Cell is a row's entry for one way: of the three at least one is there.
type Cell struct {
	Faults []Fault
	Test   string // PACKAGE.NAME of the test that covers it
	Reason string // why it cannot occur
}

// CellOf is the cell of a request and a way.
func CellOf(r Request, w Way) Cell {
	var c Cell
	for _, f := range Faults() {
		if f.Way == w && f.Covers(r) && r.Rare == "" {
			c.Faults = append(c.Faults, f)
		}
	}
	for _, e := range exceptions {
		if e.way == w && (e.request == r.Name || e.request == "" && slices.Contains(e.groups, r.Group)) {
			c.Test, c.Reason = e.test, e.reason
			break
		}
	}
	if r.Rare != "" && len(c.Faults) == 0 && c.Test == "" && c.Reason == "" {
		c.Reason = r.Rare
	}
	return c
}

// exception is what fills cells that chaos does not.
type exception struct {
	way     Way
	request string  // the name of one, or
	groups  []Group // all of these
	test    string
	reason  string
}
