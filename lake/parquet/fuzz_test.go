package parquet_test

import (
	"bytes"
	"testing"
)

// FuzzRead reads anything as a file: rows or an error, never a panic. Bytes of a good file are
// changed at a place.
func FuzzRead(f *testing.F) {
	good, _ := write(f, 20)
	f.Add(good, uint16(0), byte(0))
	f.Add(good, uint16(len(good)-12), byte(0xff))
	f.Add([]byte("PAR1PAR1"), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, file []byte, at uint16, with byte) {
		file = bytes.Clone(file)
		if int(at) < len(file) {
			file[at] ^= with
		}
		readAll(t, file)
	})
}
