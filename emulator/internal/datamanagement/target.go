package datamanagement

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// target is where a batch goes and how its blobs are read.
type target struct {
	principal engine.Principal
	columns   []value.Column
	source    formats.Source
}

// targets finds where batches and streams go.
type targets struct {
	engine     *engine.Engine
	admin      engine.Principal // who adds the columns of mappings
	identities identities
	ctx        context.Context // of adding columns
}

// of checks who ingests, where to, and how. It is the same for all messages
// of a batch.
func (t targets) of(m Message) (target, error) {
	principal, err := t.identities.principalOf(m.Properties.Identity)
	if err != nil {
		return target{}, err
	}
	return t.find(principal, m.Database, m.Table, m.Properties)
}

// find checks that principal may ingest into a table, and finds its columns and the mapping of p.
func (t targets) find(principal engine.Principal, database, table string, p Properties) (target, error) {
	found := target{principal: principal, source: formats.Source{Format: p.Format, IgnoreFirstRecord: p.IgnoreFirst}}
	if err := t.engine.Authorize(principal, database, table, engine.Ingestor); err != nil {
		return found, err
	}
	kind := p.MappingType
	if kind == "" {
		kind = formats.KindOf(p.Format)
	}
	var err error
	switch {
	case p.MappingReference != "":
		found.source.HasMapping = true
		found.source.Mapping, err = t.engine.Mapping(database, table, kind, p.MappingReference)
	case p.Mapping != "":
		found.source.HasMapping = true
		found.source.Mapping, err = formats.ParseMapping(formats.KindOf(kind), p.Mapping)
	}
	if err != nil {
		return found, err
	}
	if found.columns, err = t.engine.TableColumns(database, table); err != nil {
		return found, err
	}
	if missing := found.source.Mapping.Missing(found.columns); len(missing) > 0 {
		if err := t.addColumns(database, table, missing); err != nil {
			return found, err
		}
		found.columns, err = t.engine.TableColumns(database, table)
	}
	return found, err
}

// addColumns makes the columns that a mapping gives a data type for and that the
// table lacks (https://learn.microsoft.com/kusto/management/mappings).
func (t targets) addColumns(database, table string, missing []value.Column) error {
	var list []string
	for _, c := range missing {
		list = append(list, fmt.Sprintf("%s:%v", quoted(c.Name), c.Kind))
	}
	result, err := t.engine.Command(t.ctx, engine.Call{
		Principal: t.admin, Database: database,
		Text: fmt.Sprintf(".alter-merge table %s (%s)", quoted(table), strings.Join(list, ", ")),
	})
	if err != nil {
		return err
	}
	for _, answer := range result.Tables {
		for _, err := range answer.Rows {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// quoted is a name as commands take any.
func quoted(name string) string {
	return `['` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + `']`
}
