package tvmexport

import (
	"reflect"
	"time"
)

// Hooks are what the engine announces. Nil fields are silent. They are called
// from many goroutines and must not block.
type Hooks struct {
	Started   func(Run)                             // a run of a table begins
	Planned   func(run Run, rows int64, slices int) // the plan stands; slices may still split
	Fetched   func(run Run, s Slice, a Answer)      // a complete answer was read
	Splitting func(run Run, s Slice, why error)     // a slice is asked for again in smaller parts
	Retrying  func(run Run, op string, in time.Duration, why error)
	Landing   func(run Run, b Batch)                   // a batch was queued
	Confirmed func(run Run, batches, of int)           // so many batches have landed whole
	Awaiting  func(run Run, a Awaited)                 // batches are still to land; told once a minute
	Published func(run Run, rows int64)                // the rows are in the published table
	Committed func(run Run, rows int64)                // the run counts
	Fallback  func(run Run, what string, why error)    // a poorer way was taken, and why
	Failed    func(table string, run RunID, err error) // the table's run ended without a commit
}

// JoinHooks announces to each listener, in their order.
func JoinHooks(listeners ...Hooks) Hooks {
	var out Hooks
	joined := reflect.ValueOf(&out).Elem()
	for i := range joined.NumField() {
		var all []reflect.Value
		for _, l := range listeners {
			if f := reflect.ValueOf(l).Field(i); !f.IsNil() {
				all = append(all, f)
			}
		}
		if len(all) == 0 {
			continue
		}
		joined.Field(i).Set(reflect.MakeFunc(joined.Field(i).Type(), func(said []reflect.Value) []reflect.Value {
			for _, f := range all {
				f.Call(said)
			}
			return nil
		}))
	}
	return out
}

// Awaited is what a run waits for while batches have not landed.
type Awaited struct {
	Landed, Of int           // batches
	For        time.Duration // how long this wait has lasted
	Most       time.Duration // how long it can last
	Slow       string        // what delays them, as far as the destination says
}
