package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// write writes the record and the database.
func (w *world) write(ctx context.Context, out string) error {
	names, err := w.server.Command(ctx, "", ".show tables | project TableName")
	if err != nil {
		return err
	}
	for _, row := range names.Rows {
		var name string
		if err := json.Unmarshal(row[0], &name); err != nil {
			return err
		}
		if err := w.rows(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.SortStableFunc(w.entries, func(a, b entry) int { return a.At.Compare(b.At) })
	text, err := json.MarshalIndent(w.record, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "record.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(out, "database.ndjson.gz"))
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(z)
	lines.SetEscapeHTML(false)
	for _, e := range w.entries {
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return file.Close()
}

// column is a column of a table of the database.
type column struct {
	ColumnName string
	ColumnType string
}

// conversions make a value of a column from its text.
var conversions = map[string]string{
	"string": "%s", "bool": "tobool(%s)", "int": "toint(%s)", "long": "tolong(%s)", "real": "todouble(%s)", "decimal": "todecimal(%s)",
	"datetime": "todatetime(%s)", "timespan": "totimespan(%s)", "guid": "toguid(%s)", "dynamic": "iff(isempty(%[1]s), dynamic(null), parse_json(%[1]s))",
}

// extent is rows that were ingested together.
type extent struct {
	at   time.Time
	tags string
	rows []string // of a datatable
}

// rows adds the commands that ingest the rows of a table again: one for each extent, with its tags and at its time.
func (w *world) rows(ctx context.Context, table string) error {
	var err error
	if w.record.Stored[table], err = w.server.Landed(ctx, "", table); err != nil {
		return err
	}
	schema, err := w.server.Query(ctx, "", table+" | getschema | project ColumnName, ColumnType")
	if err != nil {
		return err
	}
	var columns []column
	if err := schema.Decode(&columns); err != nil {
		return err
	}
	answer, err := w.server.Query(ctx, "", table+" | extend AtExtent = tostring(extent_id()), AtTime = ingestion_time(), AtTags = tostring(extent_tags())")
	if err != nil {
		return err
	}
	extents := map[string]*extent{}
	for _, row := range answer.Rows {
		var id, tags string
		var at time.Time
		n := len(columns)
		for i, target := range []any{&id, &at, &tags} {
			if err := json.Unmarshal(row[n+i], target); err != nil {
				return err
			}
		}
		id += at.Format(time.RFC3339Nano) // extents are merged, and their rows keep their times
		x := extents[id]
		if x == nil {
			x = &extent{at: at, tags: tags}
			extents[id] = x
		}
		values := make([]string, n)
		for i, c := range columns {
			if values[i], err = literal(c.ColumnType, row[i]); err != nil {
				return err
			}
		}
		x.rows = append(x.rows, strings.Join(values, ","))
	}
	var list []*extent
	for _, x := range extents {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *extent) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.tags, b.tags)) })
	for _, x := range list {
		w.entries = append(w.entries, entry{At: w.wall(x.at), Command: command(table, columns, x)})
	}
	return nil
}

// command ingests an extent.
func command(table string, columns []column, x *extent) string {
	names, made := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("['%s']:string", c.ColumnName)
		made[i] = fmt.Sprintf("['%s'] = "+conversions[c.ColumnType], c.ColumnName, "['"+c.ColumnName+"']")
		if c.ColumnType == "dynamic" {
			made[i] = fmt.Sprintf("['%[1]s'] = iff(isempty(['%[1]s']), dynamic(null), parse_json(['%[1]s']))", c.ColumnName)
		}
	}
	with := ""
	if x.tags != "" && x.tags != "[]" {
		with = fmt.Sprintf(" with (tags = '%s')", x.tags)
	}
	return fmt.Sprintf(".set-or-append ['%s']%s <|\ndatatable (%s) [\n%s]\n| project %s",
		table, with, strings.Join(names, ", "), strings.Join(x.rows, ",\n"), strings.Join(made, ", "))
}

// literal is the text of a value as a literal of KQL.
func literal(kind string, value json.RawMessage) (string, error) {
	text := string(value)
	switch {
	case text == "null":
		return `""`, nil
	case kind != "dynamic" && strings.HasPrefix(text, `"`):
		if err := json.Unmarshal(value, &text); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}
