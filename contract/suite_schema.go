package contract

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// schemaCase is a story about a method that every source has.
type schemaCase struct {
	method, name string
	story        func(t *testing.T, s schemaHarness)
}

// schemaHarness is a source under test with two tables: Table has the column
// DeviceId, Events has the column Timestamp.
type schemaHarness struct {
	Source        tvmexport.Source
	Table, Events tvmexport.Table
}

var schemaCases = []schemaCase{
	{"Columns", "OfATable", columnsOfATable},
	{"Columns", "UnknownTable", columnsUnknown},
	{"Columns", "EndedContext", columnsEnded},
	{"Schemas", "SeveralTables", schemasOfTables},
	{"Schemas", "UnknownTableIsLeftOut", schemasUnknown},
	{"Schemas", "NoTables", schemasNone},
	{"Schemas", "AgreeWithColumns", schemasAgree},
}

// unknownTable is a name that no service has.
const unknownTable = "NoSuchTableOfThisContract"

func has(columns []tvmexport.Column, name, kind string) bool {
	return slices.Contains(columns, tvmexport.Column{Name: name, Type: kind})
}

func columnsOfATable(t *testing.T, h schemaHarness) {
	columns, err := h.Source.Columns(t.Context(), h.Table.Name)
	if err != nil {
		t.Fatal(err)
	}
	if !has(columns, "DeviceId", "string") {
		t.Errorf("the columns %v lack DeviceId", columns)
	}
}

func columnsUnknown(t *testing.T, h schemaHarness) {
	_, err := h.Source.Columns(t.Context(), unknownTable)
	var e *tvmexport.Error
	if !errors.As(err, &e) || tvmexport.CauseOf(err) != tvmexport.Rejected || tvmexport.ActionOf(err) != tvmexport.Stop {
		t.Errorf("the error is %v (cause %d, action %d), want one that refuses the table and is final", err, tvmexport.CauseOf(err), tvmexport.ActionOf(err))
	}
}

func columnsEnded(t *testing.T, h schemaHarness) {
	if _, err := h.Source.Columns(ended(t), h.Table.Name); err == nil {
		t.Error("Columns succeeds though its context has ended")
	}
}

func schemasOfTables(t *testing.T, h schemaHarness) {
	schemas, err := h.Source.Schemas(t.Context(), []string{h.Table.Name, h.Events.Name})
	if err != nil {
		t.Fatal(err)
	}
	if !has(schemas[h.Table.Name], "DeviceId", "string") || !has(schemas[h.Events.Name], "Timestamp", "datetime") || len(schemas) != 2 {
		t.Errorf("the schemas are %v", schemas)
	}
}

func schemasUnknown(t *testing.T, h schemaHarness) {
	schemas, err := h.Source.Schemas(t.Context(), []string{unknownTable, h.Table.Name})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := schemas[unknownTable]; ok || len(schemas[h.Table.Name]) == 0 {
		t.Errorf("the schemas are %v, want those of %s alone", schemas, h.Table.Name)
	}
}

func schemasNone(t *testing.T, h schemaHarness) {
	if schemas, err := h.Source.Schemas(t.Context(), nil); err != nil || len(schemas) != 0 {
		t.Errorf("the schemas of no table are %v (%v)", schemas, err)
	}
}

// Both methods tell the same columns of a table.
func schemasAgree(t *testing.T, h schemaHarness) {
	columns, err := h.Source.Columns(t.Context(), h.Table.Name)
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := h.Source.Schemas(t.Context(), []string{h.Table.Name})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		if !has(schemas[h.Table.Name], c.Name, c.Type) {
			t.Errorf("Columns has %s:%s, which Schemas does not have: %v", c.Name, c.Type, schemas[h.Table.Name])
		}
	}
}

var meterCases = []sourceCase{
	{"QuotaUsage", "CountsOwnCalls", spentOwn},
	{"Begin", "OthersAreNotOwnCalls", beginOthers},
}

func callsIn(s tvmexport.QuotaUsage) (calls int) {
	for _, c := range s.Calls {
		calls += c.Calls
	}
	for _, own := range s.Endpoints {
		calls += callsIn(own)
	}
	return calls
}

var sizerCases = []sourceCase{{"RowSizes", "AboutThoseOfAnAnswer", sizesOfAnswer}}

// sizesOfAnswer: sizes are those of the rows of an answer, up to a half. An empty slice
// has none.
func sizesOfAnswer(t *testing.T, h SourceHarness) {
	sizer, _ := tvmexport.Ability[tvmexport.RowSizer](h.Source)
	none := whole(h.Events)
	none.Window = tvmexport.Window{To: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)}
	list := []tvmexport.Slice{whole(h.Table), none, whole(h.Events)}
	sizes, calls, err := sizer.RowSizes(t.Context(), list)
	if err != nil || len(sizes) != len(list) || calls < 1 {
		t.Fatalf("%d sizes of %d slices by %d calls, %v", len(sizes), len(list), calls, err)
	}
	if sizes[1] != 0 {
		t.Errorf("rows of an empty slice have %.0f bytes", sizes[1])
	}
	for _, i := range []int{0, 2} {
		_, a := h.fetch(t, list[i])
		if mean := float64(a.Bytes) / float64(max(a.Rows, 1)); sizes[i] < mean/2 || sizes[i] > 1.5*mean {
			t.Errorf("rows of %s have %.0f bytes, those of an answer %.0f", list[i].Table.Name, sizes[i], mean)
		}
	}
}

var releaserCases = []sourceCase{
	{"Release", "ReadsTheTableAgain", releaseAgain},
	{"Release", "OfATableThatIsNotKept", releaseNothing},
	{"Schemas", "OfTablesThatAreKept", schemasKept},
	{"Count", "HasTheColumns", countColumns},
}

// schemasKept: a table is left out until it is read, and once it is released.
func schemasKept(t *testing.T, h SourceHarness) {
	told := func() int {
		t.Helper()
		schemas, err := h.Source.Schemas(t.Context(), []string{h.Table.Name, h.Events.Name})
		if err != nil {
			t.Fatal(err)
		}
		return len(schemas)
	}
	if n := told(); n != 0 {
		t.Errorf("the schemas of %d tables are known before they are read", n)
	}
	h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	if n := told(); n != 1 {
		t.Errorf("the schemas of %d tables are known when one was read", n)
	}
	r, _ := tvmexport.Ability[tvmexport.Releaser](h.Source)
	r.Release(h.Table.Name)
	if n := told(); n != 0 {
		t.Errorf("the schemas of %d tables are known when none is kept", n)
	}
}

// countColumns: a count has the columns of the rows, as Schemas has them.
func countColumns(t *testing.T, h SourceHarness) {
	counts := h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	schemas, err := h.Source.Schemas(t.Context(), []string{h.Table.Name})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range schemas[h.Table.Name] {
		if !has(counts.Columns, c.Name, c.Type) {
			t.Errorf("Schemas has %s:%s, which the count does not have: %v", c.Name, c.Type, counts.Columns)
		}
	}
	if !has(counts.Columns, "DeviceId", "string") || len(counts.Columns) != len(schemas[h.Table.Name]) {
		t.Errorf("the columns of the count are %v", counts.Columns)
	}
}

func releaseAgain(t *testing.T, h SourceHarness) {
	r, _ := tvmexport.Ability[tvmexport.Releaser](h.Source)
	h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	h.Change(t)
	r.Release(h.Table.Name)
	got := byPart(t, h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1}))
	if want := partsOf(h.rowsOf(t, h.Table.Name), 1, tvmexport.AllPartitions); !maps.Equal(got, want) {
		t.Errorf("after the release: counted %v, want %v", got, want)
	}
}

func releaseNothing(t *testing.T, h SourceHarness) {
	r, _ := tvmexport.Ability[tvmexport.Releaser](h.Source)
	for range 2 {
		r.Release(h.Table.Name)
	}
	r.Release(unknownTable)
	h.fetch(t, whole(h.Table))
}

func spentOwn(t *testing.T, h SourceHarness) {
	m, _ := tvmexport.Ability[tvmexport.Meter](h.Source)
	before := callsIn(m.QuotaUsage())
	counts := h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	_, a := h.fetch(t, whole(h.Table))
	if got, want := callsIn(m.QuotaUsage())-before, counts.Calls+a.Calls; got != want {
		t.Errorf("%d calls are noted, want the %d that were made", got, want)
	}
}

func beginOthers(t *testing.T, h SourceHarness) {
	m, _ := tvmexport.Ability[tvmexport.Meter](h.Source)
	m.Begin([]tvmexport.QuotaUsage{{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: 3}}}})
	if n := callsIn(m.QuotaUsage()); n != 0 {
		t.Errorf("%d calls of others are noted as own ones", n)
	}
	h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
	if n := callsIn(m.QuotaUsage()); n < 1 {
		t.Error("the call after it is not noted")
	}
}
