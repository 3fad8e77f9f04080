package defects_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// listing makes a rig whose source lists units. The generator makes a version of
// the table with units of some sizes.
func listing(t *testing.T, story func(r *rig, source *contract.ListingSource, generate func(version string, sizes ...int) []contract.Row)) {
	t.Helper()
	choose(t, tvmexport.Snapshot, func(r *rig) {
		source := &contract.ListingSource{Schema: r.table.Columns, Valid: time.Hour}
		r.exporter.Source = source
		story(r, source, func(version string, sizes ...int) (rows []contract.Row) {
			var units [][]contract.Row
			for i, n := range sizes {
				unit := rowsFrom(fmt.Sprintf("%02x-%s", i, version), n, day(r))
				units, rows = append(units, unit), append(rows, unit...)
			}
			source.Generate(events, version, units...)
			return rows
		})
	})
}

// Each version of a table whose source lists units replaces what readers see.
func TestListedVersions(t *testing.T) {
	listing(t, func(r *rig, _ *contract.ListingSource, generate func(string, ...int) []contract.Row) {
		for _, c := range []struct {
			version string
			sizes   []int
		}{{"v1", []int{70, 1, 0, 300}}, {"v2", []int{5}}, {"v3", []int{40, 40, 40, 40, 40}}} {
			rows := generate(c.version, c.sizes...)
			if got := r.run(); got.Rows != int64(len(rows)) {
				r.Errorf("%s: %d rows were published, want %d", c.version, got.Rows, len(rows))
			}
			r.agrees(rows)
		}
		comparisons, err := r.exporter.Verify(r.Context(), nil, "")
		r.must(err)
		if c := comparisons[0]; c.Err != nil || len(c.Differences) != 0 || c.Rows != 200 {
			r.Errorf("verify: %+v", c)
		}
		r.audit("3 Success")
	})
}

// An interrupted run of such a table resumes: units that landed are not read
// again, also where their links have expired since.
func TestListedResume(t *testing.T) {
	listing(t, func(r *rig, source *contract.ListingSource, generate func(string, ...int) []contract.Row) {
		// Kusto changes a text that looks like a time, unless it is marked.
		rows := generate("2026-11-20T06:01:00Z", 10, 20, 30, 40)
		source.Before = func(u tvmexport.Unit) error {
			if u.ID == "part-00003" {
				time.Sleep(5 * time.Minute) // until what was read has landed
				return &tvmexport.Error{Op: "fetch", Action: tvmexport.Stop, Err: errors.New("interrupted")}
			}
			return nil
		}
		result, err := r.try()
		r.must(err)
		if result.Err == nil {
			r.Fatal("the first run was not interrupted")
		}
		source.Before, source.Reads = nil, nil
		time.Sleep(2 * time.Hour)
		r.connect()
		if got := r.run(); got.Resumed != 60 || len(source.Reads) != 1 {
			r.Errorf("%d rows were reused and %d units read again, want 60 and 1", got.Resumed, len(source.Reads))
		}
		r.agrees(rows)
	})
}

// Links expire while a table is read into the destination: units are listed
// again, and where the source has a newer version by then, the run starts over.
func TestListedLinksExpire(t *testing.T) {
	for name, newer := range map[string]bool{"the same version": false, "a newer version": true} {
		t.Run(name, func(t *testing.T) {
			listing(t, func(r *rig, source *contract.ListingSource, generate func(string, ...int) []contract.Row) {
				rows := generate("v1", 10, 20, 30, 40)
				source.Before = func(tvmexport.Unit) error {
					time.Sleep(25 * time.Minute)
					if newer && len(source.Reads) == 2 {
						rows = generate("v2", 15, 25)
					}
					return nil
				}
				r.run()
				r.agrees(rows)
				if source.Lists < 2 {
					r.Errorf("%d listings", source.Lists)
				}
			})
		})
	}
}

// A listing without units is an error, and readers keep what they see; a full
// run takes it.
func TestListedWithoutUnits(t *testing.T) {
	listing(t, func(r *rig, _ *contract.ListingSource, generate func(string, ...int) []contract.Row) {
		rows := generate("v1", 10)
		r.run()
		generate("v2")
		result, err := r.try()
		r.must(err)
		if tvmexport.CauseOf(result.Err) != tvmexport.Integrity {
			r.Errorf("the error is %v", result.Err)
		}
		r.agrees(rows)
		result, err = r.ask(r.Context(), engine.Request{Full: true})
		r.must(errors.Join(err, result.Err))
		r.agrees(nil)
	})
}
