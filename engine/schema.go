package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// reconcileSchema returns a table as the source shows it now. Its columns are those
// of the live schema, in the order of the catalogue and then of the answer. The
// table's way to handle drift decides which of them readers see. last is the newest
// committed run, nil before the first. Each of notes names one change since then.
func reconcileSchema(t tvmexport.Table, live []tvmexport.Column, last *tvmexport.Committed) (_ tvmexport.Table, notes []string, err error) {
	t, notes, err = followDrift(t, live, last)
	t, refused := withoutRefused(t)
	return t, append(notes, refused...), err
}

// followDrift is reconcileSchema without the check which names the destination accepts.
func followDrift(t tvmexport.Table, live []tvmexport.Column, last *tvmexport.Committed) (_ tvmexport.Table, notes []string, err error) {
	t.Columns = slices.DeleteFunc(ordered(live, t.Columns), func(c tvmexport.Column) bool { return t.Policy.Excludes(c.Name) })
	if t.Key.Column != "" && typeOf(live, t.Key.Column) == "" ||
		slices.ContainsFunc(t.Key.Hashed, func(c string) bool { return typeOf(live, c) == "" }) {
		t.Key = tvmexport.Key{}
		notes = append(notes, "the key columns of the table's partitions are no longer at the source: the table is partitioned by the hash of whole rows")
	}
	if w := t.Watermark; w != "" && w != tvmexport.IngestionTime && t.LoadType != tvmexport.Snapshot && typeOf(live, w) == "" {
		return t, notes, &tvmexport.Error{
			Op: "schema", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
			Err:  fmt.Errorf("the source does not have the watermark column %s", w),
			Hint: "append a row with another WatermarkColumn to MigrationConfiguration",
		}
	}
	if last == nil || len(last.Columns) == 0 {
		return t, notes, nil
	}
	notes = append(notes, describeDrift(t.Drift, tvmexport.NameableColumns(last.Columns), tvmexport.NameableColumns(t.Columns))...)
	if t.Drift == tvmexport.Freeze || t.Drift == tvmexport.KeepInRaw {
		shown := slices.DeleteFunc(slices.Clone(t.Columns), func(c tvmexport.Column) bool { return typeOf(last.Shown, c.Name) == "" && tvmexport.Nameable(c.Name) })
		if !slices.Equal(shown, t.Columns) {
			t.Shown = shown
		}
		if t.Drift == tvmexport.Freeze {
			t.Columns, t.Shown = shown, nil
		}
	}
	return t, notes, nil
}

// ordered is live in the order of known, what is not known behind it.
func ordered(live, known []tvmexport.Column) []tvmexport.Column {
	out := make([]tvmexport.Column, 0, len(live))
	for _, k := range known {
		if kind := typeOf(live, k.Name); kind != "" {
			out = append(out, tvmexport.Column{Name: k.Name, Type: kind})
		}
	}
	for _, c := range live {
		if typeOf(known, c.Name) == "" && typeOf(out, c.Name) == "" {
			out = append(out, c)
		}
	}
	return out
}

// hasNewColumns says whether there is a column now that is not known.
func hasNewColumns(known, now []tvmexport.Column) bool {
	return slices.ContainsFunc(now, func(c tvmexport.Column) bool { return typeOf(known, c.Name) == "" })
}

// typeOf is the type of the column of that name; "" if there is none.
func typeOf(columns []tvmexport.Column, name string) string {
	for _, c := range columns {
		if c.Name == name {
			return c.Type
		}
	}
	return ""
}

// describeDrift says in what way a schema has drifted, and what becomes of it.
func describeDrift(d tvmexport.Drift, before, now []tvmexport.Column) []string {
	var out []string
	var appeared, vanished []string
	for _, c := range now {
		switch was := typeOf(before, c.Name); was {
		case c.Type:
		case "":
			appeared = append(appeared, c.Name+":"+c.Type)
		default:
			out = append(out, fmt.Sprintf("the type of the column %s at the source is now %s; it was %s: the typed table keeps the old column and gets %s_%s", c.Name, c.Type, was, c.Name, c.Type))
		}
	}
	for _, c := range before {
		if typeOf(now, c.Name) == "" {
			vanished = append(vanished, c.Name)
		}
	}
	if len(appeared) > 0 {
		fate := map[tvmexport.Drift]string{
			tvmexport.Freeze:    "not shown, and changes in them alone are ignored",
			tvmexport.KeepInRaw: "kept in the records only",
		}[d]
		if fate == "" {
			fate = "shown from now on, and null in older rows"
		}
		out = append(out, fmt.Sprintf("the source has new columns (%s): %s", strings.Join(appeared, ", "), fate))
	}
	if len(vanished) > 0 {
		out = append(out, fmt.Sprintf("the source no longer has the columns %s, and the current state does not show them; AsOf and Changes show them without values from now on", strings.Join(vanished, ", ")))
	}
	return out
}
