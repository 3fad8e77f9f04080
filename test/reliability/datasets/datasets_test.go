package main

import (
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// All tables in both ways, of a small tenant.
func TestReadersSeeTheSource(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, via := range []assessment.Via{assessment.Files, assessment.Pages} {
		t.Run(string(via), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list, err := export(t.Context(), emulator.Options{Devices: 8, CVEs: 2000, ChangeRate: 0.5, History: 2, Dir: t.TempDir()}, via)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range list {
					if err := c.wrong(); err != nil || c.calls < 1 {
						t.Errorf("%d calls: %v", c.calls, err)
					}
				}
			})
		})
	}
}
