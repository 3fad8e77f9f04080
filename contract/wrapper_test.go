package contract

import (
	"reflect"
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestCountersPassAbilitiesOn(t *testing.T) {
	TestWrapper(t, func(d tvmexport.Destination) tvmexport.Destination { return &calls{behind: d} })
	TestSourceWrapper(t, func(s tvmexport.Source) tvmexport.Source {
		if lists, ok := s.(tvmexport.ListingSource); ok {
			return &listingCalls{behind: lists}
		}
		return &sourceCalls{behind: s.(tvmexport.CountingSource)}
	})
}

// The suites know every ability: what CompleteDestination has beyond Destination.
func TestAbilitiesAreAll(t *testing.T) {
	core := reflect.TypeFor[tvmexport.Destination]()
	var beyond, known []string
	for m := range reflect.TypeFor[tvmexport.CompleteDestination]().Methods() {
		if _, ok := core.MethodByName(m.Name); !ok {
			beyond = append(beyond, m.Name)
		}
	}
	for _, a := range abilities() {
		known = append(known, a.methods...)
	}
	slices.Sort(known)
	if !slices.Equal(beyond, known) {
		t.Errorf("the abilities have the methods %q, CompleteDestination has %q", known, beyond)
	}
	for _, a := range abilities() {
		if Without(t, &Destination{}, a.name); a.find(Without(t, &Destination{}, a.name)) != nil {
			t.Errorf("a destination without %s has it", a.name)
		}
	}
}

// A wrapper that hides an ability, or claims one, is found.
func TestWrapperRules(t *testing.T) {
	d := &Destination{}
	late := describe[tvmexport.LateRowCounter]()
	hides := struct{ tvmexport.Destination }{d}
	if late.find(hides) != nil {
		t.Error("an embedded interface shows abilities that its type does not have")
	}
	if late.find(&calls{behind: hides}) != nil {
		t.Error("a wrapper has an ability that the destination behind it does not have")
	}
	if got := late.find(&calls{behind: &calls{behind: d}}); got == nil {
		t.Error("a wrapper of a wrapper does not have the ability")
	} else if _, outer := got.(*calls); !outer {
		t.Errorf("the ability is that of %T, want the outer wrapper's", got)
	}
}
