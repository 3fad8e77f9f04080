package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tell lets test see the life of a small tenant.
func tell(t *testing.T, o rig.Options, test func(t *testing.T, c *chronicle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Emulator.Dir = t.TempDir()
		if o.Emulator.CVEs == 0 {
			o.Emulator.CVEs = 2000
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
	dice := rand.New(rand.NewPCG(1, 2))
	for _, table := range c.rig.Tables {
		must(t, c.checkChanges(t.Context(), table, f, 3, dice))
	}
	if f.looked == 0 {
		t.Error("nothing was compared")
	}
	for _, d := range f.differ {
		t.Error(d)
	}
}

func TestEveryDayCanBeAskedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	tell(t, rig.Options{Emulator: emulator.Options{Devices: 6, ChangeRate: 0.2}, FullEvery: 60 * time.Hour}, func(t *testing.T, c *chronicle) {
		c.days(t, 5, nil)
		whole, part := 0, 0
		for _, e := range c.entries[1:] {
			for _, r := range e.results {
				if r.FullReason != "" {
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

// Where most devices change each day, and a column goes and comes back, more than
// one run has changed what differs between two days: all pairs of days. Of one
// device the first row of each table is there twice, so that its key names no row.
func TestChangesOfWhatComesAndGoes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	const extensions = "DeviceTvmBrowserExtensions"
	o := rig.Options{
		Emulator: emulator.Options{Devices: 6, Seed: 1, ChangeRate: 0.9}, FullEvery: 60 * time.Hour,
		Tables: []string{"DeviceBaselineComplianceAssessment", vulnerabilities, extensions},
	}
	tell(t, o, func(t *testing.T, c *chronicle) {
		c.days(t, 7, func(day int) error {
			d := emulator.Drift{Drop: "ExtensionVendor"}
			if day%2 == 0 {
				d = emulator.Drift{Add: &emulator.NewColumn{Name: "ExtensionVendor", Type: "string"}}
			}
			if day > 4 {
				return nil
			}
			_, err := c.rig.Emulator.Tenant().Drift(extensions, d)
			return err
		})
		kinds, back, duplicated := map[string]int{}, 0, 0
		for _, table := range c.rig.Tables {
			p, err := c.course(t.Context(), table)
			must(t, err)
			for from := range c.entries {
				for to := from + 1; to < len(c.entries); to++ {
					d, err := c.checkPair(t.Context(), p, from, to)
					must(t, err)
					if d != "" {
						t.Error(d)
					}
					for row := range p.changes(from, to) {
						kind, _, _ := strings.Cut(row, " ")
						kinds[kind]++
					}
					for row := range p.between(from, to) {
						days := 0
						for day := from + 1; day <= to; day++ {
							if p.steps[day][row] != 0 {
								days++
							}
						}
						if days > 1 {
							back++
						}
						key := p.keyed[row]
						if n, m := p.keys[key].until(from), p.keys[key].until(to); n == 1 && m > 1 || n > 1 && m == 1 {
							duplicated++
						}
					}
				}
			}
		}
		if kinds["added"] == 0 || kinds["removed"] == 0 || kinds["modified"] == 0 || back == 0 || duplicated == 0 {
			t.Errorf("the story has %v, %d rows that changed more than once, %d of keys that are there once and then twice, or the other way round", kinds, back, duplicated)
		}
	})
}

// What is true of both tables is true where there is one of them.
func TestEveryDayCanBeAskedForInEachLayout(t *testing.T) {
	for _, layout := range []tvmexport.Layout{tvmexport.RawOnly, tvmexport.TypedOnly} {
		t.Run(string(layout), func(t *testing.T) {
			o := rig.Options{
				Emulator: emulator.Options{Devices: 8, ChangeRate: 0.3}, Tables: []string{"DeviceTvmHardwareFirmware", "DeviceTvmCertificateInfo"},
				Describe: func(t tvmexport.Table) tvmexport.Table { t.Layout = layout; return t },
			}
			tell(t, o, func(t *testing.T, c *chronicle) {
				c.days(t, 4, nil)
				c.holds(t)
			})
		})
	}
}

// Schemas change in mid-history. Every day before and after can still be queried,
// with each way to handle drift.
func TestEveryDayCanBeAskedForThoughSchemasDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	firmware, certificates, extensions, profiles := "DeviceTvmHardwareFirmware", "DeviceTvmCertificateInfo", "DeviceTvmBrowserExtensions", "DeviceBaselineComplianceProfiles"
	settings, inventory, rules := "DeviceTvmSecureConfigurationAssessment", "DeviceTvmSoftwareInventory", "DeviceBaselineComplianceAssessmentKB"
	drifts := map[int]map[string]emulator.Drift{ // by day and table
		1: {
			firmware:     {Add: &emulator.NewColumn{Name: "RiskScore", Type: "real"}},
			certificates: {Retype: &emulator.NewColumn{Name: "KeySize", Type: "dynamic"}},
			extensions:   {Drop: "ExtensionVendor"},
			profiles:     {Add: &emulator.NewColumn{Name: "Extra", Type: "dynamic"}},
			settings:     {Retype: &emulator.NewColumn{Name: "ConfigurationImpact", Type: "string"}},
			inventory:    {Drop: "DeviceId"}, // what identifies its parts
			rules:        {Drop: "ConfigurationId"},
		},
		2: {
			firmware:   {Nest: &emulator.NewKey{Column: "AdditionalFields", Key: "Vendor"}},
			extensions: {Add: &emulator.NewColumn{Name: "ExtensionVendor", Type: "string"}},
			profiles:   {Drop: "CreatedOn"},
		},
	}
	for _, way := range []tvmexport.Drift{tvmexport.Evolve, tvmexport.Freeze, tvmexport.KeepInRaw} {
		t.Run(string(way), func(t *testing.T) {
			o := rig.Options{
				Emulator: emulator.Options{Devices: 3, ChangeRate: 0.5},
				Tables:   []string{firmware, certificates, extensions, profiles, settings, inventory, rules},
				Describe: func(t tvmexport.Table) tvmexport.Table { t.Drift = way; return t },
			}
			tell(t, o, func(t *testing.T, c *chronicle) {
				c.frozen = way != tvmexport.Evolve
				c.days(t, 4, func(day int) error {
					for table, d := range drifts[day] {
						if c.frozen && day == 2 && table == extensions {
							continue // it was not shown any more, and nothing says that it was once
						}
						if _, err := c.rig.Emulator.Tenant().Drift(table, d); err != nil {
							return err
						}
					}
					return nil
				})
				c.holds(t)
				for table, column := range map[string]string{firmware: "RiskScore", profiles: "Extra"} {
					if c.landed(t, table+"Raw | where isnotempty(Records."+column+")") == 0 {
						t.Errorf("no record of %s holds %s", table, column)
					}
				}
			})
		})
	}
}
