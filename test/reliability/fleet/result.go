package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// result is what one execution of the program said and cost.
type result struct {
	out, log bytes.Buffer
	code     int
	took     time.Duration
	cpu      time.Duration // processor time of the program
	emulated time.Duration // of the emulator meanwhile
	rss      float64       // most memory in MB
}

// String is the figures in one line, with what bounds the time.
func (r result) String() string {
	busy := (r.cpu + r.emulated).Seconds() / r.took.Seconds() / float64(runtime.NumCPU())
	return fmt.Sprintf("%s, exit code %d, %.0f MB, %.0f s of processor time and %.0f s of the emulator: %.0f %% of %d cores",
		r.took.Round(100*time.Millisecond), r.code, r.rss, r.cpu.Seconds(), r.emulated.Seconds(), 100*busy, runtime.NumCPU())
}

// tail is the end of what was said to standard error.
func (r result) tail() string {
	text := strings.TrimSpace(r.log.String())
	return text[max(0, len(text)-1000):]
}

// lastLine is the last line to standard error, which counts the tenants by outcome.
func (r result) lastLine() string {
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	return lines[len(lines)-1]
}

// processorTime is that of a running process so far.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time of the emulator: %w", err)
	}
	// The name of the program may have spaces; it ends with the last bracket.
	_, rest, _ := strings.Cut(string(text[max(0, bytes.LastIndexByte(text, ')')):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time of the emulator: /proc/%d/stat has %d fields", pid, len(fields))
	}
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, fmt.Errorf("processor time of the emulator: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100, nil
}
