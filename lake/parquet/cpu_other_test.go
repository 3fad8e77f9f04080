//go:build !unix

package parquet_test

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuNanos is the time of the process: there is no CPU time in the standard library here.
func cpuNanos(testing.TB) int64 { return int64(time.Since(started)) }
