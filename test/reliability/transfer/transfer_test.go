package main

import (
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the program measures on a large tenant, on a small one whose service
// gives small answers.
func TestOnlyWhatChangedTravels(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		r, err := rig.New(t.Context(), rig.Options{
			Emulator: emulator.Options{Devices: 150, CVEs: 2000, Dir: t.TempDir()}, Tables: largest,
			Limits: tvmexport.Limits{Rows: 500, Bytes: 1 << 30},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		run := func() measured {
			m, err := measure(t.Context(), r, engine.Request{})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range largest {
				t.Logf("%s: %+v", name, m.tables[name])
			}
			return m
		}
		full := run()
		if c := r.Emulator.Tenant().Move(share); c.Changed == 0 || c.Added == 0 || c.Retired == 0 {
			t.Fatalf("the tenant moved by %+v", c)
		}
		after := run()
		for _, x := range excess(full, after) {
			t.Error(x)
		}
		for name, v := range after.tables {
			if v.fetch == 0 {
				t.Errorf("%s: nothing was fetched though devices have changed", name)
			}
		}
		for name, v := range run().tables {
			if v.fetch != 0 || v.bytes != 0 || v.calls != 0 {
				t.Errorf("%s: fetched %+v though nothing has changed", name, v)
			}
		}
	})
}

// Of a table of the export APIs, only what has changed is landed.
func TestOnlyWhatChangedIsLanded(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		runs, c, err := exported(t.Context(), emulator.Options{Devices: 80, CVEs: 500, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		full, changed, still := runs[0], runs[1], runs[2]
		// In so small a tenant, a few devices are more than one in a hundred.
		if c.Changed == 0 || full.landed != full.rows || changed.landed == 0 || 10*changed.landed > changed.rows || changed.calls == 0 || still.landed > 0 {
			t.Errorf("%+v changed; %+v", c, runs)
		}
	})
}

func TestTooMuch(t *testing.T) {
	for _, tt := range []struct {
		changed, still int64
		fails          bool
	}{{30, 0, false}, {31, 0, true}, {0, 1, true}} {
		if err := tooMuch([3]landing{{rows: 1000, landed: 1000}, {rows: 1000, landed: tt.changed}, {rows: 1000, landed: tt.still}}); (err != nil) != tt.fails {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
