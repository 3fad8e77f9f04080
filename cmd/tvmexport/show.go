package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/lake"
)

type showFlags struct {
	asOf, changes, format string
	where                 []string
	limit                 int
}

func showCommand(p *process) *cobra.Command {
	var f showFlags
	c := &cobra.Command{
		Use:   "show TABLE",
		Short: "Print rows of a table in a lake",
		Long: `show reads the files of a table in a folder (destination: lake) and prints its rows: those
of now, those of a time, or those that were added and removed between two times. It
needs no database. DuckDB does more; status prints the command that opens it.`,
		Example: "  tvmexport show DeviceTvmSoftwareInventory --where DeviceName=pc-1 --limit 20\n" +
			"  tvmexport show DeviceTvmSoftwareVulnerabilities --as-of 2026-11-23T06:00:00Z --format csv\n" +
			"  tvmexport show DeviceTvmSoftwareVulnerabilities --changes 2026-11-22T00:00:00Z..2026-11-23T00:00:00Z --format json",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("show takes the name of one table; tvmexport status lists them"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return show(c.Context(), p, args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.asOf, "as-of", "", "state of this `time` (RFC 3339) instead of the newest one")
	flags.StringVar(&f.changes, "changes", "", "rows that were added and removed between two times, `FROM..TO`; TO may be missing")
	flags.StringArrayVar(&f.where, "where", nil, "only rows with this value, `COLUMN=VALUE` (repeatable)")
	flags.StringVar(&f.format, "format", "table", "`format` of the rows: table, csv or json")
	flags.IntVar(&f.limit, "limit", 0, "print at most this many rows; 0: all")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"table", "csv", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// question is what the flags ask of a table.
func (f showFlags) question(table string) (q lake.Question, err error) {
	q = lake.Question{Table: table, Where: map[string]string{}}
	if q.AsOf, err = timeFlag("--as-of", f.asOf); err != nil {
		return q, err
	}
	if f.changes != "" {
		from, to, ok := strings.Cut(f.changes, "..")
		switch {
		case !ok || from == "":
			return q, usage(fmt.Errorf("--changes is %q; it must be two times, FROM..TO", f.changes))
		case f.asOf != "":
			return q, usage(errors.New("--changes and --as-of are two questions: give one of them"))
		}
		if q.From, err = timeFlag("--changes", from); err != nil {
			return q, err
		}
		if q.To, err = timeFlag("--changes", to); err != nil {
			return q, err
		}
		if !q.To.IsZero() && q.To.Before(q.From) {
			return q, usage(fmt.Errorf("--changes is %q; its first time must not be after the second one", f.changes))
		}
	}
	for _, w := range f.where {
		column, value, ok := strings.Cut(w, "=")
		if !ok || column == "" {
			return q, usage(fmt.Errorf("--where is %q; it must be COLUMN=VALUE", w))
		}
		if old, twice := q.Where[column]; twice && old != value {
			return q, usage(fmt.Errorf("--where asks for two values of %s, which no row has", column))
		}
		q.Where[column] = value
	}
	return q, nil
}

func show(ctx context.Context, p *process, table string, f showFlags) error {
	q, err := f.question(table)
	if err != nil {
		return err
	}
	if f.limit < 0 {
		return usage(fmt.Errorf("--limit is %d; it must not be below 0", f.limit))
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	if !wiring.Lakes(cfg) {
		return usage(errors.New("show reads the files of a lake, and the configuration has destination: kusto; query the database instead"))
	}
	x, err := p.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer x.Close()
	columns, rows, err := x.Lake.Show(ctx, q)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(p.stdout)
	w := rowWriter{out: out, columns: columns, changes: !q.From.IsZero(), limit: f.limit}
	switch f.format {
	case "table":
		err = w.table(rows)
	case "csv":
		err = w.csv(rows)
	case "json":
		err = w.json(rows)
	default:
		return usage(fmt.Errorf("--format is %q; it must be table, csv or json", f.format))
	}
	return errors.Join(err, out.Flush())
}

// rowWriter prints rows.
type rowWriter struct {
	out     io.Writer
	columns []tvmexport.Column
	changes bool
	limit   int
}

// each calls f for each row, up to the limit.
func (w rowWriter) each(rows iter.Seq2[lake.Row, error], f func(lake.Row) error) error {
	n := 0
	for row, err := range rows {
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return err
		}
		if n++; n == w.limit {
			return nil
		}
	}
	return nil
}

// cells are the texts of a row; those of the header without one.
func (w rowWriter) cells(row *lake.Row) []string {
	var out []string
	if w.changes {
		out = append(out, "Change")
		if row != nil {
			out[0] = row.Change
		}
	}
	for i, c := range w.columns {
		if row == nil {
			out = append(out, c.Name)
		} else {
			out = append(out, row.Text(i))
		}
	}
	return out
}

// widest bounds a cell of a table, and alignEvery how many rows are aligned with each other: rows
// are printed as they are read.
const widest, alignEvery = 40, 1000

func (w rowWriter) table(rows iter.Seq2[lake.Row, error]) error {
	tw := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	line := func(cells []string) error {
		for i, c := range cells {
			c = strings.Join(strings.FieldsFunc(c, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
			if r := []rune(c); len(r) > widest {
				c = string(r[:widest-1]) + "…"
			}
			cells[i] = c
		}
		_, err := fmt.Fprintln(tw, strings.Join(cells, "\t"))
		return err
	}
	if err := line(w.cells(nil)); err != nil {
		return err
	}
	n := 0
	err := w.each(rows, func(r lake.Row) error {
		if n++; n%alignEvery == 0 {
			if err := tw.Flush(); err != nil {
				return err
			}
		}
		return line(w.cells(&r))
	})
	return errors.Join(err, tw.Flush())
}

func (w rowWriter) csv(rows iter.Seq2[lake.Row, error]) error {
	out := csv.NewWriter(w.out)
	if err := out.Write(w.cells(nil)); err != nil {
		return err
	}
	err := w.each(rows, func(r lake.Row) error { return out.Write(w.cells(&r)) })
	out.Flush()
	return errors.Join(err, out.Error())
}

func (w rowWriter) json(rows iter.Seq2[lake.Row, error]) error {
	return w.each(rows, func(r lake.Row) error {
		text := r.JSON
		if w.changes {
			text = append([]byte(`{"Change":"`+r.Change+`",`), text[1:]...)
		}
		_, err := fmt.Fprintf(w.out, "%s\n", text)
		return err
	})
}
