package plans_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
)

// What the service reads for an export counts against the tenant's processing time.
// A full export reads each table at most two and a half times: once for the count,
// once for the rows, and what conditions that no index knows read besides. The rows
// are those that the emulated service has charged. TVMEXPORT_DEVICES asks for a
// tenant of that size, with the documented limits.
func TestRowsScanned(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	devices, limits := 150, tvmexport.Limits{Rows: 1000, Bytes: 1 << 30} // so that a table takes many slices
	if text := os.Getenv("TVMEXPORT_DEVICES"); text != "" {
		var err error
		devices, err = strconv.Atoi(text)
		must(t, err)
		limits = tvmexport.Limits{}
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, devices, catalog.Default()...)
		r.emulator.Services().Faults().Clear() // no delay
		r.exporter.Limits = limits
		slices := newSliceTexts(r.emulator)
		run := func(name string, req engine.Request) (read, held int64, calls int) {
			before, called := r.scanned(), r.calls()
			report, err := r.exporter.Run(t.Context(), req)
			must(t, err)
			for _, o := range report.Outcomes {
				must(t, o.Err)
			}
			for _, table := range catalog.Default() {
				d, err := r.emulator.Truth(t.Context(), table)
				must(t, err)
				held += int64(d.Rows)
			}
			read, calls = r.scanned()-before, r.calls()-called
			t.Logf("%s: %d rows read of %d, %.2f times; %d calls, at most %d conditions and %d bytes of text",
				name, read, held, float64(read)/float64(held), calls, slices.conditions, slices.bytes)
			return read, held, calls
		}
		read, held, _ := run("a full export", engine.Request{})
		if 2*read > 5*held {
			t.Errorf("a full export has read %d rows of %d", read, held)
		}
		r.emulator.Tenant().Advance(1)
		if read, held, _ := run("a day later", engine.Request{}); 2*read > 5*held {
			t.Errorf("the export of a day's changes has read %d rows of %d", read, held)
		}
		if slices.conditions > 40 || slices.bytes > 8<<10 {
			t.Errorf("a slice has %d conditions, and one a text of %d bytes", slices.conditions, slices.bytes)
		}
	})
}

func (r *rig) scanned() int64 { return r.emulator.Stats().Defender["graph"].RowsScanned }

// sliceTexts is the most that the query of a slice had.
type sliceTexts struct {
	mu                sync.Mutex
	conditions, bytes int
}

var condition = regexp.MustCompile(`startswith_cs|\bin \(|matches regex`)

// newSliceTexts watches the queries for slices.
func newSliceTexts(e *emulatortest.Emulator) *sliceTexts {
	s := &sliceTexts{}
	e.Observe(func(v emulatortest.Event) {
		if !strings.Contains(v.Text, "let answer =") {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conditions = max(s.conditions, len(condition.FindAllString(v.Text, -1)))
		s.bytes = max(s.bytes, len(v.Text))
	})
	return s
}
