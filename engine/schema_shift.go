package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// schemaRestarts is how often a run of a table starts over because the source's
// schema changed while it was read.
const schemaRestarts = 2

// schemaShift is the reason of a run that met two schemas: rows of both must
// not be committed together.
type schemaShift struct {
	columns []tvmexport.Column // as the answer declares them
	what    string
	counted bool // it was found by a count, before the first row was fetched
}

func (s *schemaShift) Error() string {
	return "the schema of the source changed while the table was read: " + s.what
}

// sighting is how the source's schema was seen before a run.
type sighting struct {
	columns []tvmexport.Column
	told    bool // by the source; else they are what was known before
	loose   bool // the answers have other columns, and the source tells these again
	kept    bool // the source knows the columns of rows that it has read
}

// see gives a plan the columns of the source as they were seen.
func see(p *Plan, s sighting) {
	p.Live, p.Loose, p.Kept = published(p.Run.Table, s.columns), s.loose, s.kept
}

// published are columns without those that the table's policy excludes.
func published(t tvmexport.Table, columns []tvmexport.Column) []tvmexport.Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c tvmexport.Column) bool { return t.Policy.Excludes(c.Name) })
}

// declared are the columns that an answer or a count declares, as they are compared. Where
// only the rows of some time were read, a column is not gone because none of them has it.
func declared(p *Plan, columns []tvmexport.Column) []tvmexport.Column {
	columns = published(p.Run.Table, columns)
	if !p.Kept || p.Run.Table.LoadType == tvmexport.Snapshot {
		return columns
	}
	for _, c := range p.Live {
		if typeOf(columns, c.Name) == "" {
			columns = append(columns, c)
		}
	}
	return ordered(columns, p.Live)
}

// count is stage.count. If the rows that were counted have other columns than the plan
// assumes, the plan is made again.
func (p *planner) count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	counts, err := p.stage.count(ctx, q)
	if err != nil || len(counts.Columns) == 0 {
		return counts, err
	}
	columns := declared(&p.Plan, counts.Columns)
	if what := shift(p.Live, columns); what != "" {
		return counts, shifted(p.Run.Table, &schemaShift{columns, what, true})
	}
	return counts, nil
}

// shifted is the error of a run that saw another schema than it was planned with.
func shifted(t tvmexport.Table, s *schemaShift) error {
	return &tvmexport.Error{
		Op: "fetch", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: s,
		Hint: "nothing was published; run again when the schema no longer changes",
	}
}

// countedColumns is what a plan continues with that was made with other columns than
// those of the counted rows.
func countedColumns(err error) (_ sighting, ok bool) {
	var moved *schemaShift
	if !errors.As(err, &moved) || !moved.counted {
		return sighting{}, false
	}
	return sighting{columns: moved.columns, told: true, kept: true}, true
}

// sameSchema holds the columns that an answer declares against those that the
// run was planned with, and those of the answers before it. The service may
// spell a type in two ways, so a type alone that differs from the plan is noted.
func (f *fetcher) sameSchema(columns []tvmexport.Column) error {
	live := f.Live
	if len(columns) == 0 || len(live) == 0 {
		return nil // the answer declares none, or nothing is known
	}
	columns = declared(&f.Plan, columns)
	what := shift(f.schema, columns)
	if f.schema == nil {
		f.schema = columns
		if what = shift(live, columns); what != "" && (f.Loose || sameNames(live, columns)) {
			f.note("the columns of the answers differ from the schema: %s", what)
			return nil
		}
	}
	if what == "" {
		return nil
	}
	return shifted(f.Run.Table, &schemaShift{columns, what, false})
}

func sameNames(a, b []tvmexport.Column) bool { return !hasNewColumns(a, b) && !hasNewColumns(b, a) }

// shift says in what the columns differ; "" if they do not. Their order is not
// compared.
func shift(before, now []tvmexport.Column) string {
	var out []string
	for _, c := range now {
		switch was := typeOf(before, c.Name); was {
		case c.Type:
		case "":
			out = append(out, "the column "+c.Name+" was added")
		default:
			out = append(out, fmt.Sprintf("the column %s was %s and is %s", c.Name, was, c.Type))
		}
	}
	for _, c := range before {
		if typeOf(now, c.Name) == "" {
			out = append(out, "the column "+c.Name+" was dropped")
		}
	}
	const most = 5
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return strings.Join(out, ", ")
}

// seen is what the source tells of the table's schema.
func (o *Opening) seen() sighting {
	return sighting{columns: o.Columns, told: o.Told, kept: o.Settings.Keeps}
}

// attempt makes a run of a table, and starts over where the source's schema
// changes meanwhile. Each start is a run of its own, by the schema of that time.
func (t *tableRun) attempt(ctx context.Context, r *Result) error {
	seen := t.seen()
	known := r.Table // as the catalogue describes it
	calls, bytes := 0, int64(0)
	var restarts []string
	for shifts := 0; ; shifts++ {
		r.Table, r.Progress = known, Progress{TableRows: t.History.TableRows}
		err := t.try(ctx, r, seen)
		r.Calls, r.Bytes = r.Calls+calls, r.Bytes+bytes
		r.Notes = append(slices.Clone(restarts), r.Notes...)
		var moved *schemaShift
		if !errors.As(err, &moved) || shifts == schemaRestarts {
			return err
		}
		calls, bytes = r.Calls, r.Bytes
		if found, ok := countedColumns(err); ok {
			seen = found
			continue
		}
		if t.Hooks.Retrying != nil {
			t.Hooks.Retrying(r.Run, "run", 0, err)
		}
		restarts = append(restarts, "the run started over: "+moved.Error())
		if seen, err = t.seeAgain(ctx, known.Name, seen, moved); err != nil {
			return err
		}
	}
}

// seeAgain asks for the schema of a table once more. If the source does not return
// it, seeAgain uses the columns of the answer that differed.
func (t *tableRun) seeAgain(ctx context.Context, table string, before sighting, moved *schemaShift) (sighting, error) {
	if t.Settings.Keeps { // what it would tell is in its answers
		return sighting{columns: moved.columns, told: true, kept: true}, nil
	}
	columns, told, err := t.steps.Schema(ctx, table)
	if err != nil {
		return before, err
	}
	if !told {
		return sighting{columns: moved.columns, told: true}, nil
	}
	return sighting{columns: columns, told: true, loose: before.told && shift(before.columns, columns) == ""}, nil
}
