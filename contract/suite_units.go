package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func listIdentity(t *testing.T, h ListingHarness) { h.list(t) }

func listTwice(t *testing.T, h ListingHarness) {
	first := h.list(t)
	later()
	second := h.list(t)
	if first.Version != second.Version || !first.At.Equal(second.At) {
		t.Fatalf("without a new version: %q of %s, then %q of %s", first.Version, first.At, second.Version, second.At)
	}
	same := func(a, b tvmexport.Unit) bool { return a.Is(b) && a.Rows == b.Rows }
	if !slices.EqualFunc(first.Units, second.Units, same) {
		t.Errorf("the units of the version %q are %v, then %v", first.Version, first.Units, second.Units)
	}
}

func listNewer(t *testing.T, h ListingHarness) {
	before := h.list(t)
	later()
	h.Generate(t)
	after := h.list(t)
	if after.Version == before.Version {
		t.Errorf("two versions have the name %q", after.Version)
	}
	differ(t, h.walk(t, after), keysOf(h.Rows(t, h.Table.Name)))
}

func listUnknown(t *testing.T, h ListingHarness) {
	_, err := h.Source.List(t.Context(), tvmexport.Table{Name: unknownTable, LoadType: tvmexport.Snapshot})
	if err == nil || tvmexport.CauseOf(err) != tvmexport.Rejected || tvmexport.ActionOf(err) != tvmexport.Stop {
		t.Errorf("the error is %v (cause %d, action %d), want one that rejects the table and is final", err, tvmexport.CauseOf(err), tvmexport.ActionOf(err))
	}
}

func listEnded(t *testing.T, h ListingHarness) {
	if _, err := h.Source.List(ended(t), h.Table); err == nil {
		t.Error("a listing succeeds though its context has ended")
	}
}

// A link is a secret: what is logged or stored of a listing does not have it.
func listSecrets(t *testing.T, h ListingHarness) {
	l := h.list(t)
	stored, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(stored), fmt.Sprintf("%v %+v %#v", l, l, l.Units)}
	for _, u := range l.Units {
		texts = append(texts, fmt.Sprintf("%s %q %v", u.Link, u.Link, u.Link))
		for _, text := range texts {
			if secret := string(u.Link); secret != "" && strings.Contains(text, secret) {
				t.Fatalf("the link of the unit %s can be read", u.ID)
			}
		}
		texts = texts[:2]
	}
}

func unitsAreTheTable(t *testing.T, h ListingHarness) {
	rows := h.Rows(t, h.Table.Name)
	if len(rows) < 2 {
		t.Fatalf("the harness gives %d rows, too few for a case", len(rows))
	}
	differ(t, h.walk(t, h.list(t)), keysOf(rows))
}

func unitTwice(t *testing.T, h ListingHarness) {
	u, first := h.filled(t, h.list(t))
	second, _ := h.read(t, u)
	if !slices.Equal(first, second) {
		t.Errorf("the unit %s has %d rows, then %d, or others", u.ID, len(first), len(second))
	}
}

func unitRelisted(t *testing.T, h ListingHarness) {
	u, first := h.filled(t, h.list(t))
	later()
	again := h.list(t)
	i := slices.IndexFunc(again.Units, u.Is)
	if i < 0 {
		t.Fatalf("a second listing does not have the unit %s", u.ID)
	}
	if second, _ := h.read(t, again.Units[i]); !slices.Equal(first, second) {
		t.Errorf("by its new link the unit %s has other rows", u.ID)
	}
}

// A unit has the rows of its version, or none: never those of a newer one.
func unitOfVersion(t *testing.T, h ListingHarness) {
	u, first := h.filled(t, h.list(t))
	later()
	h.Generate(t)
	list := &rowList{t: t, of: whole(h.Table)}
	a, err := h.Source.FetchUnit(t.Context(), h.Table, u, list)
	switch {
	case err != nil && isUnitExpired(err):
	case err != nil && tvmexport.ActionOf(err) == tvmexport.Stop:
	case err != nil || !a.Complete():
		t.Errorf("a unit of an older version: %+v, %v", a, err)
	case !slices.Equal(first, list.keys):
		t.Errorf("a unit of an older version has the rows of a newer one")
	}
}

func unitAnnounced(t *testing.T, h ListingHarness) {
	for _, u := range h.list(t).Units {
		if keys, _ := h.read(t, u); u.Rows != tvmexport.Missing && u.Rows != int64(len(keys)) {
			t.Errorf("the unit %s has %d rows, its listing announces %d", u.ID, len(keys), u.Rows)
		}
	}
}

func unitExpired(t *testing.T, h ListingHarness) {
	if h.Expire == nil {
		t.Skip("the links of this source do not expire, which the contract allows (ListingHarness.Expire is nil)")
	}
	l := h.list(t)
	u, first := h.filled(t, l)
	h.Expire(t)
	list := &rowList{t: t, of: whole(h.Table)}
	if _, err := h.Source.FetchUnit(t.Context(), h.Table, u, list); !isUnitExpired(err) || len(list.keys) != 0 {
		t.Fatalf("by a link that has expired: %d rows, %v; want ErrUnitExpired", len(list.keys), err)
	}
	again := h.list(t)
	i := slices.IndexFunc(again.Units, u.Is)
	if i < 0 {
		t.Fatalf("a new listing does not have the unit %s", u.ID)
	}
	if second, _ := h.read(t, again.Units[i]); !slices.Equal(first, second) {
		t.Errorf("by its new link the unit %s has other rows", u.ID)
	}
}

// corrupted reads a corrupt unit, and returns whether it passes for a complete one.
func (h ListingHarness) corrupted(t *testing.T, how Corruption) bool {
	t.Helper()
	u, _ := h.filled(t, h.list(t))
	h.Corrupt(t, how)
	a, err := h.Source.FetchUnit(t.Context(), h.Table, u, &rowList{t: t, of: whole(h.Table)})
	complete := err == nil && a.Complete()
	h.read(t, u) // the next answer is as it should be
	return complete
}

func unitCut(t *testing.T, h ListingHarness) {
	if h.corrupted(t, Cut) {
		t.Error("a unit without all its rows passes for a complete one")
	}
}

func unitDuplicated(t *testing.T, h ListingHarness) {
	if h.corrupted(t, Duplicated) {
		t.Error("a unit with a duplicated row passes for a complete one")
	}
}

func unitWriter(t *testing.T, h ListingHarness) {
	u, _ := h.filled(t, h.list(t))
	full := errors.New("the writer is full")
	if _, err := h.Source.FetchUnit(t.Context(), h.Table, u, refusing{full}); !errors.Is(err, full) {
		t.Errorf("the unit ends with %v, want the writer's error", err)
	}
}

func unitEnded(t *testing.T, h ListingHarness) {
	u, _ := h.filled(t, h.list(t))
	if _, err := h.Source.FetchUnit(ended(t), h.Table, u, &rowList{t: t, of: whole(h.Table)}); err == nil {
		t.Error("a unit is read though its context has ended")
	}
}
