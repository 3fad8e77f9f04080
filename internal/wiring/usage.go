package wiring

import "github.com/tvmexport/tvmexport"

// Usage marks an error as a mistake in what the user gave.
func Usage(err error) error { return &Mistake{err} }

// Mistake is an error in what the user gave.
type Mistake struct{ Err error }

// Error is the text of the error alone.
func (m *Mistake) Error() string { return m.Err.Error() }

// Unwrap tells the cause to tvmexport.CauseOf.
func (m *Mistake) Unwrap() error { return &tvmexport.Error{Cause: tvmexport.Usage, Err: m.Err} }
