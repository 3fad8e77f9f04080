package main

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/tenant"
	"github.com/tvmexport/tvmexport/reliability/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tell lets test see the life of a small tenant.
func tell(t *testing.T, o rig.Options, test func(t *testing.T, c *chronicle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Emulator.Dir = t.TempDir()
		if o.Emulator.CVEs == 0 {
			o.Emulator.CVEs = 6000
		}
		r, err := rig.New(t.Context(), o)
		must(t, err)
		t.Cleanup(func() { must(t, r.Close()) })
		test(t, &chronicle{rig: r})
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// days lets days pass, with what happens ahead of one.
func (c *chronicle) days(t *testing.T, n int, before func(day int) error) {
	t.Helper()
	must(t, c.live(t.Context(), n, before, func(e entry, _ time.Duration) {
		for _, r := range e.results {
			for _, note := range r.Notes {
				t.Logf("day %d, %s: %s", e.day, r.Table.Name, note)
			}
		}
	}))
}

// holds makes all comparisons.
func (c *chronicle) holds(t *testing.T) {
	t.Helper()
	f := &findings{}
	must(t, c.checkNow(t.Context(), f))
	must(t, c.checkDays(t.Context(), f))
	must(t, c.checkBetween(t.Context(), f))
	must(t, c.checkChanges(t.Context(), f, 3, rand.New(rand.NewPCG(1, 2))))
	if f.looked == 0 {
		t.Error("nothing was compared")
	}
	for _, d := range f.differ {
		t.Error(d)
	}
}

func TestEveryDayCanBeAskedFor(t *testing.T) {
	tell(t, rig.Options{Emulator: emulator.Options{Devices: 12, ChangeRate: 0.2}, FullEvery: 60 * time.Hour}, func(t *testing.T, c *chronicle) {
		c.days(t, 5, nil)
		whole, part := 0, 0
		for _, e := range c.entries[1:] {
			for _, r := range e.results {
				if r.Whole != "" {
					whole++
				} else {
					part++
				}
			}
		}
		if whole == 0 || part == 0 {
			t.Errorf("%d runs fetched a table whole and %d what had changed; the story wants both", whole, part)
		}
		c.holds(t)
	})
}

// The schema of a table changes in mid-history: every day before and after it
// can still be asked for, under each way to meet drift.
func TestEveryDayCanBeAskedForThoughTheSchemaDrifts(t *testing.T) {
	const firmware, settings = "DeviceTvmHardwareFirmware", "DeviceTvmSecureConfigurationAssessment"
	for _, tt := range []struct {
		name, table string
		drifts      []tenant.Drift // from day 2 on, one a day
		appears     string         // column that the table did not have
	}{
		{"a new column", firmware, []tenant.Drift{{Add: &tenant.NewColumn{Name: "RiskScore", Type: "real"}}}, "RiskScore"},
		{"a new bag", firmware, []tenant.Drift{{Add: &tenant.NewColumn{Name: "Extra", Type: "dynamic"}}}, "Extra"},
		{"a lost column", firmware, []tenant.Drift{{Drop: "Manufacturer"}}, ""},
		{"a lost key", firmware, []tenant.Drift{{Drop: "DeviceId"}}, ""},
		{"a changed type", firmware, []tenant.Drift{{Retype: &tenant.NewColumn{Name: "ComponentVersion", Type: "dynamic"}}}, ""},
		{"a number that becomes text", settings, []tenant.Drift{{Retype: &tenant.NewColumn{Name: "ConfigurationImpact", Type: "string"}}}, ""},
		{"a new nested key", firmware, []tenant.Drift{{Nest: &tenant.NewKey{Column: "AdditionalFields", Key: "Vendor"}}}, ""},
		{"a column that comes back", firmware, []tenant.Drift{{Drop: "Manufacturer"}, {Add: &tenant.NewColumn{Name: "Manufacturer", Type: "string"}}}, ""},
		{"all at once", firmware, []tenant.Drift{
			{Add: &tenant.NewColumn{Name: "RiskScore", Type: "real"}}, {Drop: "ComponentFamily"}, {Nest: &tenant.NewKey{Column: "AdditionalFields", Key: "Vendor"}},
		}, "RiskScore"},
	} {
		for _, way := range []tvmexport.Drift{tvmexport.Evolve, tvmexport.Freeze, tvmexport.KeepInRaw} {
			if way != tvmexport.Evolve && tt.appears == "" {
				continue // the ways differ in columns that appear
			}
			t.Run(fmt.Sprintf("%s, %s", tt.name, way), func(t *testing.T) {
				o := rig.Options{
					Emulator: emulator.Options{Devices: 8, ChangeRate: 0.3}, Tables: []string{tt.table},
					Describe: func(t tvmexport.Table) tvmexport.Table { t.Drift = way; return t },
				}
				tell(t, o, func(t *testing.T, c *chronicle) {
					c.frozen = way != tvmexport.Evolve
					c.days(t, 3+len(tt.drifts), func(day int) error {
						if day < 2 || day-2 >= len(tt.drifts) {
							return nil
						}
						_, err := c.rig.Emulator.Tenant().Drift(tt.table, tt.drifts[day-2])
						return err
					})
					c.holds(t)
					if tt.appears == "" {
						return
					}
					kept, err := c.rig.Emulator.Landed(t.Context(), "", tt.table+"Raw | where isnotempty(Records."+tt.appears+")")
					must(t, err)
					if kept.Rows == 0 {
						t.Errorf("no record holds %s", tt.appears)
					}
				})
			})
		}
	}
}
