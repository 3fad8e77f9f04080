package hunts_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exported lets test see an emulated tenant whose tables of current state were
// exported, all fifteen.
func exported(t *testing.T, test func(t *testing.T, r *rig.Rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))) // CVEs are named after years
		r, err := rig.New(t.Context(), rig.Options{
			Emulator: emulator.Options{Devices: 40, CVEs: 12_000, Dir: t.TempDir()},
			Tables:   slices.Concat(catalog.Default(), catalog.Offered()),
		})
		must(t, err)
		t.Cleanup(func() { must(t, r.Close()) })
		_, err = r.Run(t.Context(), engine.Request{})
		must(t, err)
		test(t, r)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
