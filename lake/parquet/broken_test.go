package parquet_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/tvmexport/tvmexport/lake/parquet"
)

// A footer that is longer than the file is refused before memory is allocated for it.
func TestFooterBeyondFile(t *testing.T) {
	file, _ := write(t, 20)
	binary.LittleEndian.PutUint32(file[len(file)-8:], 0xffff_fff0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)), columns); err == nil {
		t.Error("the file can be opened")
	}
	if _, err := parquet.OpenNested(bytes.NewReader(file), int64(len(file))); err == nil {
		t.Error("the file can be opened as a nested one")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("%d bytes were allocated", got)
	}
}

// Files of which some bytes have changed are read, or are errors. Nothing panics.
func TestChangedBytes(t *testing.T) {
	good, _ := write(t, 20)
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		file := bytes.Clone(good)
		for range 1 + r.IntN(3) {
			file[len(file)-1-r.IntN(2000)] = byte(r.Uint32()) // of the footer: page headers can demand large buffers
		}
		readAll(t, file)
	}
}

// readAll reads what can be read.
func readAll(t *testing.T, file []byte) {
	t.Helper()
	const most = 100
	if r, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)), columns); err == nil {
		n := 0
		for _, err := range r.Rows(t.Context(), func(g parquet.Group) bool { _, _, _ = g.Bounds("Text"); return true }) {
			if n++; err != nil || n > most {
				break
			}
		}
	}
	if r, err := parquet.OpenNested(bytes.NewReader(file), int64(len(file))); err == nil {
		n := 0
		for _, err := range r.Rows(t.Context(), []string{"Text", "_long-1"}) {
			if n++; err != nil || n > most {
				break
			}
		}
	}
}
