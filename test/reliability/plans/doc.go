// Package plans holds what a plan promises against what a run then does: calls,
// bytes and time, by the emulator's own count and the clock of a bubble.
package plans
