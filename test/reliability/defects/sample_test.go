package defects_test

// sample chooses cases of a table that is large. It takes all of them, and under the
// race detector one of stride: CI runs the package both ways.
type sample struct{ cases int }

// takes says whether the next case is in the sample. The first case is.
func (s *sample) takes() bool {
	s.cases++
	return (s.cases-1)%stride == 0
}
