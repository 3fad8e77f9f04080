//go:build race

package engine

// sampled is the share of the cases that a test of a large table over pure functions
// takes: a tenth. The race detector costs such a test ten times its time and finds
// nothing in one goroutine; without the detector, all cases are taken.
const sampled = 10
