package parquet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Check reads a file back: it has the size, the checksum and the number of
// rows of its Summary, and its footer can be read.
func Check(r io.ReaderAt, size int64, s Summary) error {
	if size != s.Bytes {
		return fmt.Errorf("the file has %d bytes instead of %d", size, s.Bytes)
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, io.NewSectionReader(r, 0, size), make([]byte, 1<<20)); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != s.SHA256 {
		return fmt.Errorf("the file has the checksum %s instead of %s", got, s.SHA256)
	}
	f, err := NewReader(r, size, nil)
	if err != nil {
		return err
	}
	if f.NumRows() != s.Rows {
		return fmt.Errorf("the footer of the file counts %d rows instead of %d", f.NumRows(), s.Rows)
	}
	return nil
}
