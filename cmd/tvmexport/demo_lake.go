//go:build !noemulator

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/progress"
)

// demoLake exports the tenant of an emulator into a new folder, which stays.
func demoLake(ctx context.Context, inside *process, e *emulator.Server, f emulatorFlags) error {
	folder, err := os.MkdirTemp("", "tvmexport-demo-")
	if err != nil {
		return err
	}
	fmt.Fprintf(inside.stdout, "A synthetic tenant of %v devices, and the empty folder %s.\n\n", &f.devices, folder)
	c := demoConfig(e.Ready)
	c.Destination, c.Lake.Path = config.ToLake, folder
	x, err := inside.open(ctx, c)
	if err != nil {
		return err
	}
	defer x.Close()
	tables, err := tablesNamed(nil)
	if err != nil {
		return err
	}
	if err := initialiseLake(ctx, inside, x, tables, false); err != nil {
		return err
	}
	d := demonstration{process: inside, parts: x, emulator: e}
	source, err := d.demoSource(ctx)
	if err != nil {
		return err
	}
	for i, title := range []string{"First export", "A day later: second export"} {
		if i > 0 {
			e.Tenant().Advance(1)
		}
		if err := d.intoLake(ctx, source, title); err != nil {
			return err
		}
	}
	if err := d.audit(ctx); err != nil {
		return err
	}
	if d.differ {
		return errors.New("source and destination differ; see the table above")
	}
	_, err = fmt.Fprintf(inside.stdout, "\n%s\n", openingOf(x.Lake))
	return err
}

// intoLake makes one run and proves it: source and folder are compared by counts and fingerprints of each part.
func (d *demonstration) intoLake(ctx context.Context, source tvmexport.Source, title string) error {
	fmt.Fprintf(d.process.stdout, "\n%s\n", title)
	printer, err := d.process.printer()
	if err != nil {
		return err
	}
	exporter := d.parts.Exporter(source, printer)
	report, err := exporter.Run(ctx, engine.Request{})
	printer.Close()
	if err != nil {
		return err
	}
	compared, err := exporter.Verify(ctx, nil, "")
	if err != nil {
		return err
	}
	verdicts := map[string]string{}
	for _, c := range compared {
		verdicts[c.Table.Name] = fmt.Sprintf("agree, %s", figures.Plural(c.Parts, "part"))
		if c.Err != nil || len(c.Differences) > 0 {
			verdicts[c.Table.Name], d.differ = "DIFFER", true
		}
	}
	lines := [][]string{{"TABLE", "ROWS", "FINGERPRINTS", "CHANGED", "CALLS", "TOOK"}}
	for _, r := range report.Outcomes {
		if r.Err != nil {
			return r.Err
		}
		lines = append(lines, []string{
			r.Table.Name, progress.Count(r.TableRows), verdicts[r.Table.Name], figures.Changed(r.Rows, r.Growth), strconv.Itoa(r.Calls), figures.Span(r.Took),
		})
	}
	return printTable(d.process.stdout, lines, 5, 4, 3)
}
