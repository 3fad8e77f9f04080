package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// patients are the tenants that are unwell, by name, with the kind of what they have.
type patients map[string]string

// unwell makes tenants unwell: the last ones, some of each kind.
func (w *world) unwell() (patients, error) {
	sick := patients{}
	for i := range w.options.unwell {
		down, unconsented, throttled := w.name(w.tenants-i), w.name(w.tenants-w.options.unwell-i), w.name(w.tenants-2*w.options.unwell-i)
		sick[down], sick[unconsented], sick[throttled] = "down", "unconsented", "throttled"
		err := errors.Join(
			w.post("/cluster?tenant="+down, map[string]bool{"down": true}),
			w.post("/consent?tenant="+unconsented, map[string]bool{"granted": false}),
			w.post("/faults?tenant="+throttled, faults.Rule{Endpoint: faults.Graph, Status: 429, Headers: map[string]string{"Retry-After": "10"}}),
		)
		if err != nil {
			return nil, err
		}
	}
	return sick, nil
}

// signs are what a run says of a tenant that is unwell.
var signs = map[string][]string{
	"throttled":   {"the service throttles the tenant"},
	"unconsented": {"AADSTS7000229"},
	"down":        {"connection refused"},
}

// check says what is wrong with how a run ended and with what it said.
func (sick patients) check(r result, at emulator.Ready) (found []error) {
	code := 0
	if len(sick) > 0 {
		code = 3
	}
	if r.code != code {
		found = append(found, fmt.Errorf("run ends with %d, want %d: %s", r.code, code, r.tail()))
	}
	said := map[string]string{}
	for line := range strings.Lines(r.out.String() + r.log.String()) {
		line = strings.TrimPrefix(line, "tvmexport: ")
		if name, rest, ok := strings.Cut(line, ": "); ok {
			said[name] += rest
		}
	}
	for _, t := range at.Tenants {
		kind := sick[t.Name]
		if kind == "" {
			if text := said[t.Name]; !strings.Contains(text, "9 committed") || strings.Contains(text, "failed") {
				found = append(found, fmt.Errorf("tenant %s is well, and run says %q", t.Name, text))
			}
			continue
		}
		for _, sign := range signs[kind] {
			if !strings.Contains(said[t.Name], sign) {
				found = append(found, fmt.Errorf("tenant %s is %s, and run does not say %q: %q", t.Name, kind, sign, said[t.Name]))
			}
		}
	}
	return found
}

// mostShown is how many differences are printed.
const mostShown = 10

// compare compares each table of each tenant that is well with its source.
func (w *world) compare(sick patients) error {
	var different []string
	rows, tables := int64(0), 0
	for _, t := range w.at.Tenants {
		if sick[t.Name] != "" {
			continue
		}
		for _, table := range catalog.Default() {
			var truth, landed emulator.Digest
			query := url.Values{"q": {table}, "tenant": {t.Name}}
			if err := errors.Join(w.get("/truth", query, &truth), w.get("/landed", query, &landed)); err != nil {
				return err
			}
			if truth != landed {
				different = append(different, fmt.Sprintf("%s of %s: %d rows at the source, %d in the database", table, t.Name, truth.Rows, landed.Rows))
			}
			rows += truth.Rows
			tables++
		}
	}
	fmt.Printf("  %-28s %d tables with %d rows, %d differ\n", "compared with the source", tables, rows, len(different))
	if len(different) == 0 {
		return nil
	}
	return fmt.Errorf("%d tables differ from their source: %s", len(different), strings.Join(different[:min(len(different), mostShown)], "; "))
}

// budgets checks the calls that the emulator counted: of no tenant more than its share of the
// quota within any minute and any hour. Calls that a fault answers are not among them.
func (w *world) budgets(sick patients) error {
	var stats emulator.Stats
	if err := w.get("/stats", nil, &stats); err != nil {
		return err
	}
	perMinute, perHour := w.share*45, w.share*1500
	var over []string
	var minute, hour, calls int64
	for name, t := range stats.Tenants {
		for front, s := range t.Defender {
			minute, hour, calls = max(minute, s.BusiestMinute), max(hour, s.BusiestHour), calls+s.Calls
			if float64(s.BusiestMinute) > perMinute || float64(s.BusiestHour) > perHour {
				over = append(over, fmt.Sprintf("%s on %s: %d calls in a minute, %d in an hour", name, front, s.BusiestMinute, s.BusiestHour))
			}
			if len(s.Throttles) > 0 && sick[name] == "" {
				over = append(over, fmt.Sprintf("%s on %s: throttled %v", name, front, s.Throttles))
			}
		}
	}
	fmt.Printf("  %-28s %d; of one tenant at most %d in 60 s (budget %v) and %d in an hour (budget %v)\n", "calls", calls, minute, perMinute, hour, perHour)
	if calls == 0 {
		return errors.New("the emulator counted no call")
	}
	if len(over) == 0 {
		return nil
	}
	slices.Sort(over)
	return fmt.Errorf("%d tenants exceed their budget: %s", len(over), strings.Join(over[:min(len(over), mostShown)], "; "))
}
