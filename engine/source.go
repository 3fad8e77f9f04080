package engine

import (
	"context"
	"maps"

	"github.com/tvmexport/tvmexport"
)

// source is the source of a table.
func (e *Exporter) source(table string) tvmexport.Source {
	if s, ok := e.Sources[table]; ok {
		return s
	}
	return e.Source
}

// lists returns whether the source of a table lists units. A source that counts
// the table too is asked for counts: they prove more.
func (e *Exporter) lists(table string) bool {
	if _, counts := tvmexport.Ability[tvmexport.CountingSource](e.source(table)); counts {
		return false
	}
	_, lists := tvmexport.Ability[tvmexport.ListingSource](e.source(table))
	return lists
}

// schemasOf asks each source for the columns of its tables, with one call for
// each source where that is possible.
func (e *Exporter) schemasOf(ctx context.Context, tables []tvmexport.Table) (map[string][]tvmexport.Column, error) {
	out := map[string][]tvmexport.Column{}
	var common []string
	for _, t := range tables {
		own, ok := e.Sources[t.Name]
		if !ok {
			common = append(common, t.Name)
			continue
		}
		schemas, err := own.Schemas(ctx, []string{t.Name})
		if err != nil {
			return nil, err
		}
		maps.Copy(out, schemas)
	}
	if len(common) == 0 {
		return out, nil
	}
	schemas, err := e.Source.Schemas(ctx, common)
	maps.Copy(out, schemas)
	return out, err
}

// noCounts is the error of an operation that needs a source which counts rows.
func noCounts(table string) error {
	return unsupportedSource("count", table, "does not count rows", "")
}
