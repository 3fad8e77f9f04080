package assessment

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

func TestNumberOfFile(t *testing.T) {
	const folder = "2026-11-20/0601/VaExport/json/OrgId=part-7-x/_RbacGroupId=3/"
	for name, want := range map[string]int{
		folder + "part-00003-0b9e.c000.json.gz":    3,
		folder + "part-123456-0b9e.c000.json.gz":   123456,
		folder + "part-+3-0b9e.c000.json.gz":       -1,
		folder + "part--3-0b9e.c000.json.gz":       -1,
		folder + "part-99999999999-0.c000.json.gz": -1,
		folder + "part-":                           -1,
		folder:                                     -1,
		"":                                         -1,
	} {
		got, ok := numberOfFile(name)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("numberOfFile(%q) = %d, want %d", name, got, want)
		}
	}
}

// Walks through some snapshots at once divide each of them once, and no more than those
// are kept.
func TestPartsAreKept(t *testing.T) {
	start := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	tn := tenant.New(tenant.Options{Devices: 9, CVEs: 2_000, Start: start, Clock: func() time.Time { return start }})
	tn.AdvanceHours(6 * keptParts)
	list := tn.Snapshots()
	if len(list) != keptParts+1 {
		t.Fatalf("%d snapshots", len(list))
	}
	var c partsCache
	first := func(i int) *tenant.Export { return &c.of(list[i], 2)[0] }
	before := make([]*tenant.Export, keptParts)
	for i := range keptParts {
		before[i] = first(i)
	}
	for i := range keptParts {
		if first(i) != before[i] {
			t.Errorf("the snapshot %d is divided again", i)
		}
	}
	first(keptParts)
	if len(c.kept) != keptParts {
		t.Errorf("%d snapshots are kept, want %d", len(c.kept), keptParts)
	}
	if first(1) != before[1] {
		t.Error("the snapshot that was asked for before is divided again")
	}
	if first(0) == before[0] {
		t.Error("the snapshot that nobody asked for longest is still kept")
	}
}
