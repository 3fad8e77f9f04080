package spool

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// says returns whether a note has a text.
func says(notes []string, text string) bool { return strings.Contains(strings.Join(notes, "\n"), text) }

const (
	someEmpty = "also when read a second time"
	allEmpty  = "has no rows at all"
)

// The files of a new table may all be empty: Defender may have no data yet, or the tenant
// none of this kind. The run commits an empty table, and says so. The next one exports
// what is there then. A table that has rows does not become empty.
func TestFirstListingWithoutRows(t *testing.T) {
	table := snapshot
	table.Destination, table.Columns = "TRaw", valued.Columns
	r := newRig(t, table, Options{})
	for _, units := range [][][]contract.Row{{nil, nil}, {}} {
		r.behind.Generate("T", "1", units...)
		for range 2 {
			if o := r.export(t); o.Err != nil || o.Rows != 0 || o.TableRows != 0 || !says(o.Notes, allEmpty) || says(o.Notes, someEmpty) != (len(units) > 0) {
				t.Fatalf("%d empty units: %d rows, notes %q, %v", len(units), o.Rows, o.Notes, o.Err)
			}
		}
	}
	rows := rowsOf(300, 1)
	r.behind.Generate("T", "2", halves(rows)...)
	if o := r.export(t); o.Err != nil || o.Rows != 300 || says(o.Notes, allEmpty) {
		t.Fatalf("%d rows, notes %q, %v", o.Rows, o.Notes, o.Err)
	}
	r.readersSee(t, rows)
	r.behind.Generate("T", "3", nil, nil)
	if o := r.export(t); tvmexport.CauseOf(o.Err) != tvmexport.Integrity || !strings.Contains(o.Err.Error(), "have no rows, but 300 rows are expected") {
		t.Errorf("a table that became empty: %v", o.Err)
	}
	r.readersSee(t, rows)
}

// Changes that did not happen are no empty units: nothing is noted.
func TestPagesWithoutRows(t *testing.T) {
	table := events
	table.Name, table.Destination = "T", "TRaw"
	table.Columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}}
	r := newRig(t, table, Options{})
	r.behind.Walk = true
	r.behind.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) { a.Empty = a.Rows == 0 }
	rows := eventsUntil(3)
	for name, units := range map[string][][]contract.Row{"no page with rows": {nil}, "an empty last page": {rows, nil}} {
		r.behind.Generate("T", name, units...)
		if o := r.export(t); o.Err != nil || says(o.Notes, "no rows") || len(r.behind.Reads) > 3 {
			t.Errorf("%s: %d reads, notes %q, %v", name, len(r.behind.Reads), o.Notes, o.Err)
		}
	}
}
