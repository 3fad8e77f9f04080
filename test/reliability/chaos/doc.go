// Package chaos makes small exports against emulated tenants while their services
// fail in every way that is known of them, at random, under a fixed list of seeds.
// It compares what readers see with the source after each run that reports
// success, and after a clean run at the end of each world.
//
// Each world is a bubble of time (testing/synctest) with an emulator that knows
// no sockets: waits of hours pass at once, a run that hangs and a goroutine that
// stays behind show. This is why it is a test; `make chaos` runs it for long.
package chaos
