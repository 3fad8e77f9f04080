package tenant_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// Each CVE of a smaller library is there once, and devices still have some.
func TestCVEs(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, size := range []int{1, 2, 300, 100_003, 20_000} {
		o := options(10, 5)
		o.CVEs = size
		x := tenant.New(o)
		seen := ids(t, x.Catalog(), kb, "CveId")
		if len(seen) != size {
			t.Errorf("%d CVEs, want %d", len(seen), size)
		}
		for id, n := range seen {
			if n != 1 {
				t.Fatalf("%s is there %d times", id, n)
			}
		}
		n := 0
		for range relation(t, x.Catalog(), vulnerabilities).Scan(t.Context(), kql.Request{}) {
			n++
		}
		t.Log(size, n)
		if size >= 20_000 && n == 0 {
			t.Errorf("no device has one of %d", size)
		}
	}
}
