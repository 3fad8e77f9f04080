package chaos_test

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/check"
)

// hand is what an administrator does to the database, most in the middle of a run.
type hand struct {
	name string
	do   func(ctx context.Context, w *world, t check.Table) error
	undo func(ctx context.Context, w *world, t check.Table) error // after the run; nil: nothing
	// takes: rows that were published are gone. The next run that succeeds makes up for it.
	takes bool
}

// hands change the configuration, the ledger, landing and published tables.
var hands = []hand{
	{name: "hands: the watermark is set back", do: commandFor(`.set-or-append MigrationConfiguration <| MigrationConfiguration
| where SourceTable == "TABLE" | extend W = ingestion_time() | top 1 by W | project-away W | extend LastRefreshedTime = LastRefreshedTime - 2h`)},
	{name: "hands: the table is switched off, and on again after the run", do: commandFor(switched + "false"), undo: commandFor(switched + "true")},
	{name: "hands: leases are deleted", do: commandFor(`.delete table ExportRuns records <| ExportRuns | where State == "lease"`)},
	{name: "hands: the landing table is cleared", do: commandFor(`.clear table TABLELanding data`)},
	{name: "hands: the landing table is dropped", do: commandFor(`.drop table TABLELanding ifexists`), undo: initialised},
	{name: "hands: a published table gets a column", do: commandFor(`.alter-merge table TABLETyped (NoteOfAnOperator:long)`)},
	{name: "hands: guard tags are dropped from a published table", do: dropGuards},
	{
		name: "hands: rows of a published table are hidden",
		do:   commandFor(`.alter table TABLETyped policy row_level_security enable "TABLETyped | where false"`),
		undo: commandFor(`.delete table TABLETyped policy row_level_security`),
	},
	{name: "hands: published tables are cleared", takes: true, do: func(ctx context.Context, w *world, t check.Table) error {
		for _, kind := range []string{"Raw", "Typed"} {
			if err := commandFor(".clear table TABLE"+kind+" data")(ctx, w, t); err != nil {
				return err
			}
		}
		return nil
	}},
}

// switched makes a table active or not.
const switched = `.set-or-append MigrationConfiguration <| MigrationConfiguration
| where SourceTable == "TABLE" | extend W = ingestion_time() | top 1 by W | project-away W | extend IsActive = `

func commandFor(text string) func(context.Context, *world, check.Table) error {
	return func(ctx context.Context, w *world, t check.Table) error {
		_, err := w.admin(ctx, strings.ReplaceAll(text, "TABLE", t.Name))
		return err
	}
}

func initialised(ctx context.Context, w *world, _ check.Table) (err error) {
	for range initAttempts {
		if err = w.prepare(ctx); err == nil {
			return nil
		}
		time.Sleep(time.Minute)
	}
	return err
}

// initAttempts is how often an operator runs init while faults are active, such as an
// older answer to the query of the schema.
const initAttempts = 20

// dropGuards drops the tags that keep a command from being carried out twice, as
// a short retention of tags would.
func dropGuards(ctx context.Context, w *world, t check.Table) error {
	for _, kind := range []string{"Raw", "Typed"} {
		rows, err := w.admin(ctx, ".show table "+t.Name+kind+" extents | project Tags")
		if err != nil {
			return err
		}
		var guards []string
		for _, row := range rows {
			for tag := range strings.FieldsSeq(row[0]) {
				if strings.HasPrefix(tag, "ingest-by:") {
					guards = append(guards, "'"+tag+"'")
				}
			}
		}
		if len(guards) == 0 {
			continue
		}
		if _, err := w.admin(ctx, ".drop table "+t.Name+kind+" extent tags ("+strings.Join(guards, ", ")+")"); err != nil {
			return err
		}
	}
	return nil
}

// admin carries out a command as the database's administrator, not through the
// services that faults disturb, and gives the rows of its answer.
func (w *world) admin(ctx context.Context, text string) ([][]string, error) {
	answer, err := w.emulator.Command(ctx, "", text)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, row := range answer.Rows {
		var texts []string
		for _, v := range row {
			var s string
			if json.Unmarshal(v, &s) != nil {
				s = string(v)
			}
			texts = append(texts, s)
		}
		out = append(out, texts)
	}
	return out, nil
}
