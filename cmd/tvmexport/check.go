package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

type checkFlags struct {
	tables  []string
	probe   bool
	wait    time.Duration
	maxWait time.Duration
	json    bool
}

func (p *process) checkCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Check that a run would succeed, and print the fix for each problem",
		Long: `check verifies all requirements of a run: the configuration, the network and its
certificates, sign-in to both services, the application permission, each active
table at the source (one call for all), the database, its tables, mappings and
roles, the tenant of its data, and queued ingestion. The ingestion test sends one
row into a table that it creates and drops.

check makes three calls to Defender at most, unless a table is refused or large. It
notes them in the ledger, so that other processes keep to the quota.

Each line says ok, or names a problem and the command or step that fixes it. A
check that depends on a failed one is skipped, not broken.

Exit codes: 0 no problems, perhaps warnings; 2 the configuration is invalid;
4 a sign-in or permission is missing; 1 another problem; 3 several of these.`,
		Example: `  tvmexport check
  tvmexport check --table DeviceTvmSoftwareInventory
  tvmexport check --probe=false         # create no table in the database
  tvmexport check --json | jq 'select(.status == "broken")'`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.check(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` to check (repeatable; default: all active tables)")
	flags.BoolVar(&f.probe, "probe", true, "ingest one test row end to end")
	flags.DurationVar(&f.wait, "probe-wait", 6*time.Minute, "maximum wait for the test row")
	flags.DurationVar(&f.maxWait, "max-wait", 2*time.Minute, "give up after waiting this long for the tenant's quota")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line per finding")
	return c
}

func (p *process) check(ctx context.Context, f checkFlags) error {
	say := func(n preflight.Finding) { p.printFinding(n, f.json) }
	list := preflight.Run(ctx, p.checks(f), say)
	if !f.json {
		n := preflight.Count(list)
		fmt.Fprintf(p.stdout, "%d ok, %d warnings, %d broken, %d skipped\n",
			n[preflight.OK], n[preflight.Warning], n[preflight.Broken], n[preflight.Skipped])
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var codes []int
	for _, c := range preflight.Causes(list) {
		codes = append(codes, codeOf(c))
	}
	if code := combinedCode(codes); code != exitDone {
		return &reported{code}
	}
	return nil
}

type findingLine struct {
	Check  string `json:"check"`
	About  string `json:"about,omitempty"`
	Status string `json:"status"` // ok, warning, broken, skipped
	Text   string `json:"text"`
	Fix    string `json:"mend,omitempty"`
	Code   int    `json:"code,omitempty"` // exit code that this alone would give
}

// printFinding prints a finding on one line.
func (p *process) printFinding(n preflight.Finding, asJSON bool) {
	if asJSON {
		l := findingLine{Check: n.Check, About: n.About, Status: string(n.Status), Text: n.Text, Fix: n.Fix}
		if n.Status == preflight.Broken {
			l.Code = codeOf(n.Cause)
		}
		out := json.NewEncoder(p.stdout)
		out.SetEscapeHTML(false) // readers copy the commands
		_ = out.Encode(l)
		return
	}
	what := n.Check
	if n.About != "" {
		what += " " + n.About
	}
	line := oneLine(n.Text)
	if n.Fix != "" {
		line += " | fix: " + oneLine(n.Fix)
	}
	fmt.Fprintf(p.stdout, "%-8s %s: %s\n", n.Status, what, line)
}

// checks are all checks, in the order in which they build on each other.
func (p *process) checks(f checkFlags) []preflight.Check {
	cfg, err := settingsOf(p)
	if err == nil {
		err = wiring.KnownColumns(cfg)
	}
	file := p.configFile()
	if file == "" {
		file = "the environment"
	}
	return []preflight.Check{{Name: "configuration", Do: func(ctx context.Context) preflight.Result {
		if err != nil {
			return preflight.Found(mistakes(err)...)
		}
		i, err := p.inspection(ctx, cfg, f)
		if err != nil {
			return preflight.Found(preflight.Bad(file, err, ""))
		}
		return preflight.Result{Findings: []preflight.Finding{preflight.Good(file, "valid")}, Then: i.checks()}
	}}}
}

// mistakes are findings about a configuration that cannot be used.
func mistakes(err error) []preflight.Finding {
	var several config.Mistakes
	if !errors.As(err, &several) {
		several = config.Mistakes{err}
	}
	var out []preflight.Finding
	for _, m := range several {
		out = append(out, preflight.Finding{Status: preflight.Broken, Text: m.Error(), Fix: "correct the configuration; tvmexport config example shows every key", Cause: tvmexport.Usage})
	}
	return out
}
