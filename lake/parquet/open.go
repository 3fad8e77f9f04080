package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	lib "github.com/parquet-go/parquet-go"
)

// open opens a file. The library allocates as many bytes as the end of the file says that its
// footer has: a length beyond the file is refused before.
func open(r io.ReaderAt, size int64) (f *lib.File, err error) {
	const tail = 8 // the length of the footer, and PAR1
	var end [tail]byte
	if size < tail+4 {
		return nil, fmt.Errorf("the Parquet file cannot be read: it has %d bytes", size)
	}
	if _, err := io.ReadFull(io.NewSectionReader(r, size-tail, tail), end[:]); err != nil {
		return nil, fmt.Errorf("the Parquet file cannot be read: %w", err)
	}
	if n := int64(binary.LittleEndian.Uint32(end[:])); string(end[4:]) != "PAR1" || n > size-tail-4 {
		return nil, fmt.Errorf("the Parquet file cannot be read: it does not end with a footer")
	}
	err = guard(func() (err error) {
		f, err = lib.OpenFile(r, size, lib.SkipPageIndex(true), lib.SkipBloomFilters(true), lib.ReadBufferSize(256<<10))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the Parquet file cannot be read: %w", err)
	}
	return f, nil
}
