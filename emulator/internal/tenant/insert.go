package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Insert puts rows into a table of events at once: such as come late, twice,
// or without a time. A row is a JSON object; of its columns those that it
// leaves out are null, or "" where they are strings. The rows have arrived now,
// by ingestion_time(), and expire as other events do; one without a Timestamp
// stays.
func (t *Tenant) Insert(table string, rows ...json.RawMessage) error {
	i := slices.IndexFunc(sources, func(s source) bool { return s.title() == table })
	if i < 0 {
		return fmt.Errorf("the tenant has no table %q", table)
	}
	columns, hidden := sources[i].schema()
	if len(hidden) == 0 {
		return fmt.Errorf("%s is current state: its rows follow from the devices, none can be inserted", table)
	}
	now := value.NewDateTime(t.Now())
	made := make([][]value.Value, 0, len(rows))
	for n, row := range rows {
		values, err := inserted(row, columns)
		if err != nil {
			return fmt.Errorf("row %d of %s: %w", n+1, table, err)
		}
		for range hidden {
			values = append(values, now)
		}
		made = append(made, values)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.state.clone()
	next.inserted = maps.Clone(next.inserted)
	if next.inserted == nil {
		next.inserted = map[string][][]value.Value{}
	}
	next.inserted[table] = slices.Concat(next.inserted[table], made)
	t.state = next
	return nil
}

// inserted is the values of one row.
func inserted(row json.RawMessage, columns []value.Column) ([]value.Value, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(row, &members); err != nil {
		return nil, err
	}
	for name := range members {
		if !slices.ContainsFunc(columns, func(c value.Column) bool { return c.Name == name }) {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	var line bytes.Buffer
	if err := json.Compact(&line, row); err != nil {
		return nil, err
	}
	var stats formats.Stats
	var values []value.Value
	for decoded, err := range formats.Decode(&line, formats.Source{Format: "json", Stats: &stats}, columns) {
		if err != nil {
			return nil, err
		}
		values = slices.Clone(decoded)
	}
	if stats.Nulled > 0 {
		return nil, fmt.Errorf("%d values do not fit the types of their columns", stats.Nulled)
	}
	return values, nil
}

// grown is a source with the rows that were inserted into it behind its own.
type grown struct {
	source
	inserted [][]value.Value
}

func (g grown) scan(ctx context.Context, s *state, r kql.Request) iter.Seq2[[]value.Value, error] {
	columns, _ := g.schema()
	at := slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == "Timestamp" })
	kept := s.edge(s.day - s.retention)
	return func(yield func([]value.Value, error) bool) {
		for row, err := range g.source.scan(ctx, s, r) {
			if !yield(row, err) || err != nil {
				return
			}
		}
		for _, row := range g.inserted {
			aged := at >= 0 && !row[at].IsNull() && row[at].Ticks() < kept
			if !aged && !yield(slices.Clone(row), nil) {
				return
			}
		}
	}
}
