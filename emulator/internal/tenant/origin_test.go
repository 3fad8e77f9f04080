package tenant

import (
	"reflect"
	"testing"
	"time"
)

// Worlds that begin with the same software live on without each other: each is what it
// would be alone, and what is kept stays as it was.
func TestSoftwareIsACopy(t *testing.T) {
	const cves, days = 3000, 40
	morning := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	night := time.Date(2026, 11, 20, 23, 59, 59, 0, time.UTC)
	var m memory
	first, second := m.software(7, morning, cves), m.software(7, night, cves)
	for day := range days {
		first.grow(7, day+1)
		if day < days/2 {
			second.grow(7, day+1)
		}
	}
	alone := func(start time.Time, days int) software {
		s := newSoftware(7, start, cves)
		for day := range days {
			s.grow(7, day+1)
		}
		return s
	}
	for name, c := range map[string]struct{ got, want software }{
		"first":  {first, alone(morning, days)},
		"second": {second, alone(night, days/2)},
		"third":  {m.software(7, morning, cves), alone(morning, 0)},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("the %s world has other software than a world alone", name)
		}
	}
}

// Each part of an origin matters, and little software is kept.
func TestOriginsDiffer(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	at := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	var m memory
	for _, o := range []struct {
		world dice
		start time.Time
		cves  int
	}{{0, at, 500}, {1, at, 500}, {0, at.AddDate(0, 0, 1), 500}, {0, at.AddDate(1, 0, 0), 500}, {0, at, 501}} {
		if got, want := m.software(o.world, o.start, o.cves), newSoftware(o.world, o.start, o.cves); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: other software than a world alone", o)
		}
	}
	if len(m.known) != 5 || len(m.order) != 5 {
		t.Errorf("%d are kept, want 5", len(m.known))
	}
	const large = mostRemembered - 1100
	m.software(1, at, large)
	if len(m.order) != 3 || m.cves != large+500+501 || m.order[2].cves != large {
		t.Errorf("next to a large one, %v are kept", m.order)
	}
	m.software(1, at, mostRemembered+1)
	if len(m.order) != 3 || len(m.known) != 3 {
		t.Errorf("one that is too large is kept, or dropped others: %v", m.order)
	}
}
