// Package preflight runs checks that depend on each other and reports their
// findings: each problem with its fix. A check that depends on a broken one is
// skipped, not broken.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// Status is what a finding says.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // works, but there is something to know
	Broken  Status = "broken"
	Skipped Status = "skipped" // could not be looked at, because of something broken
)

// Finding is one line of a report.
type Finding struct {
	Check  string // what was looked at; Run fills it in
	About  string // the table, host or role; "" if there is one only
	Status Status
	Text   string // what was found
	Fix    string // fix: a command to be copied, or a step; "" if there is nothing to fix

	Cause   tvmexport.Cause // of what is broken
	Affects []string        // further checks that fail with this one
}

// Check looks at one thing.
type Check struct {
	Name   string
	Needs  []string // skipped unless all of them hold
	Unless []string // skipped if one of them is broken
	Do     func(ctx context.Context) Result
}

// Result is what a check found, and what the user should look at because of it.
type Result struct {
	Findings []Finding
	Then     []Check
}

// Found is a result of findings alone.
func Found(list ...Finding) Result { return Result{Findings: list} }

// Good is a finding of something that holds.
func Good(about, format string, args ...any) Finding {
	return Finding{About: about, Status: OK, Text: fmt.Sprintf(format, args...)}
}

// Bad makes a finding of an error. A fix that is not "" replaces the error's hint.
func Bad(about string, err error, fix string) Finding {
	f := Finding{About: about, Status: Broken, Text: reason(err), Fix: fix, Cause: tvmexport.CauseOf(err)}
	var e *tvmexport.Error
	if errors.As(err, &e) && fix == "" {
		f.Fix = e.Hint
	}
	return f
}

// reason returns the text of an error without its hint and without the step.
func reason(err error) string {
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

// Run makes the checks in their order and gives each finding to say as it
// comes. It returns all of them. The end of ctx ends the checks: what was not
// looked at is skipped.
func Run(ctx context.Context, checks []Check, say func(Finding)) []Finding {
	var all []Finding
	broken, skipped := map[string]bool{}, map[string]bool{}
	note := func(f Finding) {
		if f.Status == Broken {
			broken[f.Check] = true
			for _, a := range f.Affects {
				broken[a] = true
			}
		}
		all = append(all, f)
		say(f)
	}
	for len(checks) > 0 {
		c := checks[0]
		checks = checks[1:]
		if why := missing(c, broken, skipped); why != "" || ctx.Err() != nil {
			skipped[c.Name] = true
			if why == "" {
				why = "stopped: " + context.Cause(ctx).Error()
			}
			note(Finding{Check: c.Name, Status: Skipped, Text: why})
			continue
		}
		result := c.Do(ctx)
		for _, f := range result.Findings {
			f.Check = c.Name
			note(f)
		}
		checks = append(slices.Clip(result.Then), checks...)
	}
	return all
}

// missing says what a check lacks; "" if nothing.
func missing(c Check, broken, skipped map[string]bool) string {
	var why []string
	for _, n := range c.Needs {
		if broken[n] || skipped[n] {
			why = append(why, n)
		}
	}
	for _, n := range c.Unless {
		if broken[n] {
			why = append(why, n)
		}
	}
	if len(why) == 0 {
		return ""
	}
	return "skipped until this is fixed: " + strings.Join(why, ", ")
}

// Causes are those of what is broken, one for each finding.
func Causes(list []Finding) []tvmexport.Cause {
	var out []tvmexport.Cause
	for _, f := range list {
		if f.Status == Broken {
			out = append(out, f.Cause)
		}
	}
	return out
}

// Count says how many findings have each status.
func Count(list []Finding) map[Status]int {
	out := map[Status]int{}
	for _, f := range list {
		out[f.Status]++
	}
	return out
}
