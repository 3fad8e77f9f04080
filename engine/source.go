package engine

import (
	"context"
	"maps"
	"sync"

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

// schemasOf asks each source for the columns of its tables: Source with one call
// where that is possible. failed has the tables whose columns could not be read, each
// with its own error; err is one that concerns all.
func (e *Exporter) schemasOf(ctx context.Context, tables []tvmexport.Table) (schemas map[string][]tvmexport.Column, failed map[string]error, err error) {
	schemas, failed = map[string][]tvmexport.Column{}, map[string]error{}
	var common []string
	for _, t := range tables {
		own, ok := e.Sources[t.Name]
		switch {
		case ok:
			columns, err := own.Schemas(ctx, []string{t.Name})
			if err != nil {
				failed[t.Name] = err
			}
			maps.Copy(schemas, columns)
		case e.Source == nil:
			failed[t.Name] = unsupportedSource("schema", t.Name, "is not set", "set Source, or an entry of Sources for the table")
		default:
			common = append(common, t.Name)
		}
	}
	if len(common) > 0 {
		var told map[string][]tvmexport.Column
		told, err = e.Source.Schemas(ctx, common)
		maps.Copy(schemas, told)
		if err != nil && len(common) > 1 && ofSomeTables(ctx, err) {
			err = nil
			e.schemasAlone(ctx, common, schemas, failed)
		}
	}
	return schemas, failed, err
}

// ofSomeTables says whether an error of a question about several tables may concern
// only some of them.
func ofSomeTables(ctx context.Context, err error) bool {
	switch tvmexport.CauseOf(err) {
	case tvmexport.Integrity, tvmexport.Rejected, tvmexport.Unknown:
		return ctx.Err() == nil
	}
	return false
}

// schemasAlone asks Source for each table by itself.
func (e *Exporter) schemasAlone(ctx context.Context, tables []string, schemas map[string][]tvmexport.Column, failed map[string]error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, t := range tables {
		all.Go(func() {
			columns, err := e.Source.Schemas(ctx, []string{t})
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(schemas, columns)
			if err != nil {
				failed[t] = err
			}
		})
	}
	all.Wait()
}

// keeps returns whether the source of a table knows its columns only since it has read
// the table: its counts have them.
func (e *Exporter) keeps(table string) bool {
	_, ok := tvmexport.Ability[tvmexport.Releaser](e.source(table))
	return ok
}

// release tells the source of a table that nothing more is asked of it.
func (e *Exporter) release(table string) {
	if r, ok := tvmexport.Ability[tvmexport.Releaser](e.source(table)); ok {
		r.Release(table)
	}
}

// noCounts is the error of an operation that needs a source which counts rows.
func noCounts(table string) error {
	return unsupportedSource("count", table, "does not count rows", "")
}
