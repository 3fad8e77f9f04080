package contract

import (
	"reflect"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// abilityOf describes an ability of destinations.
type abilityOf struct {
	name    string
	methods []string
	find    func(of any) any // nil: it is not there
}

func describe[T any]() abilityOf {
	t := reflect.TypeFor[T]()
	a := abilityOf{name: t.Name(), find: func(of any) any {
		if found, ok := tvmexport.Ability[T](of); ok {
			return found
		}
		return nil
	}}
	for m := range t.Methods() {
		a.methods = append(a.methods, m.Name)
	}
	return a
}

// abilities are those of tvmexport.CompleteDestination.
func abilities() []abilityOf {
	return []abilityOf{
		describe[tvmexport.TableChecker](), describe[tvmexport.SchemaSyncer](), describe[tvmexport.LateRowCounter](),
		describe[tvmexport.StateCounter](), describe[tvmexport.Backfiller](),
	}
}

// ability finds an ability that the case needs.
func ability[T any](t *testing.T, h Harness) T {
	t.Helper()
	found, ok := tvmexport.Ability[T](h.Destination)
	if !ok {
		t.Fatalf("the destination is no %s", reflect.TypeFor[T]().Name())
	}
	return found
}

// Without is the destination without the ability of that name, as a destination
// that never had it.
func Without(t *testing.T, d tvmexport.CompleteDestination, name string) tvmexport.Destination {
	t.Helper()
	type (
		tables   = tvmexport.TableChecker
		schema   = tvmexport.SchemaSyncer
		late     = tvmexport.LateRowCounter
		state    = tvmexport.StateCounter
		backfill = tvmexport.Backfiller
	)
	switch name {
	case "TableChecker":
		return struct {
			tvmexport.Destination
			schema
			late
			state
			backfill
		}{d, d, d, d, d}
	case "SchemaSyncer":
		return struct {
			tvmexport.Destination
			tables
			late
			state
			backfill
		}{d, d, d, d, d}
	case "LateRowCounter":
		return struct {
			tvmexport.Destination
			tables
			schema
			state
			backfill
		}{d, d, d, d, d}
	case "StateCounter":
		return struct {
			tvmexport.Destination
			tables
			schema
			late
			backfill
		}{d, d, d, d, d}
	case "Backfiller":
		return struct {
			tvmexport.Destination
			tables
			schema
			late
			state
		}{d, d, d, d, d}
	}
	t.Fatalf("%s is no ability of a destination", name)
	return nil
}

// Core is the destination without any ability.
func Core(d tvmexport.Destination) tvmexport.Destination {
	return struct{ tvmexport.Destination }{d}
}
