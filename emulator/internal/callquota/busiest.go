package callquota

import "time"

// Busiest is the most calls that came within any 60 seconds and within any hour. It is for one
// goroutine at a time.
type Busiest struct {
	Minute, Hour int64

	calls      []int64 // of the last hour, in nanoseconds, oldest first
	lastMinute int     // where those of the last minute begin
}

// Add counts a call. Times may not go backwards.
func (b *Busiest) Add(now time.Time) {
	at := now.UnixNano()
	old := 0
	for old < len(b.calls) && b.calls[old] <= at-int64(time.Hour) {
		old++
	}
	if old > 0 {
		b.calls = append(b.calls[:0], b.calls[old:]...)
		b.lastMinute = max(0, b.lastMinute-old)
	}
	b.calls = append(b.calls, at)
	for b.calls[b.lastMinute] <= at-int64(time.Minute) {
		b.lastMinute++
	}
	b.Hour = max(b.Hour, int64(len(b.calls)))
	b.Minute = max(b.Minute, int64(len(b.calls)-b.lastMinute))
}
