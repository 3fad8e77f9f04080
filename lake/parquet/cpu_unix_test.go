//go:build unix

package parquet_test

import (
	"syscall"
	"testing"
)

// cpuNanos is the CPU time of the process.
func cpuNanos(t testing.TB) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
