//go:build !race

package engine

// sampled is the share of the cases that a test of a large table over pure functions
// takes: all of them. Under the race detector it is a tenth.
const sampled = 1
