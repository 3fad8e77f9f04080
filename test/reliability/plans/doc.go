// Package plans compares a plan's estimate with the run: calls, bytes and time, by
// the emulator's own count and the clock of a bubble.
package plans
