package tvmexport

import "time"

// Hooks are what the engine announces. Nil fields are silent. They are called
// from many goroutines and must not block.
type Hooks struct {
	Chosen    func(tables []string)                 // the tables of an export, before the first begins
	Started   func(Run)                             // a run of a table begins
	Planned   func(run Run, rows int64, slices int) // the plan is complete; slices may still split
	Fetched   func(run Run, s Slice, a Answer)      // a complete answer was read
	Splitting func(run Run, s Slice, why error)     // a slice is asked for again in smaller parts
	Retrying  func(run Run, op string, in time.Duration, why error)
	Landing   func(run Run, b Batch)                   // a batch was queued
	Confirmed func(run Run, batches, of int)           // this many batches have landed completely
	Awaiting  func(run Run, a Awaited)                 // batches are still to land; told once a minute
	Published func(run Run, rows int64)                // the rows are in the published table
	Committed func(run Run, rows int64)                // the run counts
	Fallback  func(run Run, what string, why error)    // the run uses a simpler method, and why
	Failed    func(table string, run RunID, err error) // the table's run ended without a commit
	Ended     func(Ending)                             // the table's run ended, after Committed or Failed
}

// Ending is how a table's run ended.
type Ending struct {
	Table  string
	Run    RunID // "" where none began
	Rows   int64 // that it published
	Effect Effect
	Err    error // nil: it was committed
}

// JoinHooks announces to each listener, in their order.
func JoinHooks(listeners ...Hooks) Hooks {
	var out Hooks
	for _, l := range listeners {
		out = Hooks{
			Chosen:    join1(out.Chosen, l.Chosen),
			Started:   join1(out.Started, l.Started),
			Planned:   join3(out.Planned, l.Planned),
			Fetched:   join3(out.Fetched, l.Fetched),
			Splitting: join3(out.Splitting, l.Splitting),
			Retrying:  join4(out.Retrying, l.Retrying),
			Landing:   join2(out.Landing, l.Landing),
			Confirmed: join3(out.Confirmed, l.Confirmed),
			Awaiting:  join2(out.Awaiting, l.Awaiting),
			Published: join2(out.Published, l.Published),
			Committed: join2(out.Committed, l.Committed),
			Fallback:  join3(out.Fallback, l.Fallback),
			Failed:    join3(out.Failed, l.Failed),
			Ended:     join1(out.Ended, l.Ended),
		}
	}
	return out
}

// join1 calls both functions; nil is silent. So do join2 to join4.
func join1[A any](f, g func(A)) func(A) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A) { f(a); g(a) }
}

func join2[A, B any](f, g func(A, B)) func(A, B) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B) { f(a, b); g(a, b) }
}

func join3[A, B, C any](f, g func(A, B, C)) func(A, B, C) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B, c C) { f(a, b, c); g(a, b, c) }
}

func join4[A, B, C, D any](f, g func(A, B, C, D)) func(A, B, C, D) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B, c C, d D) { f(a, b, c, d); g(a, b, c, d) }
}

// Awaited is what a run waits for while batches have not landed.
type Awaited struct {
	Landed, Of int           // batches
	For        time.Duration // how long this wait has lasted
	Most       time.Duration // how long it can last
	Slow       string        // what delays them, if the destination says so
}
