package defender

import (
	"bytes"
	"io"
	"os"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

// spoolInMemory is how much of an answer is kept in memory; the rest goes to a
// temporary file.
const spoolInMemory = 4 << 20

// spool holds the rows of an answer until it is known that they may be sent. It is
// written first and read after that, by one goroutine.
type spool struct {
	in     disk.Folder
	memory bytes.Buffer
	file   disk.File
	filed  int64
}

// Write appends p.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.memory.Len()+len(p) <= spoolInMemory {
		return s.memory.Write(p)
	}
	if s.file == nil {
		f, err := s.in.New("spool an answer", "answer-*.json")
		if err != nil {
			return 0, err
		}
		s.file = f
	}
	n, err := s.file.Write(p)
	s.filed += int64(n)
	return n, err
}

// size is the number of bytes written.
func (s *spool) size() int64 { return int64(s.memory.Len()) + s.filed }

// copyTo sends everything that was written.
func (s *spool) copyTo(w io.Writer) error {
	if _, err := w.Write(s.memory.Bytes()); err != nil {
		return err
	}
	if s.file == nil {
		return nil
	}
	_, err := io.Copy(w, io.NewSectionReader(s.file, 0, s.filed))
	return err
}

// close removes the file. What was spooled is lost.
func (s *spool) close() {
	if s.file == nil {
		return
	}
	// Nothing depends on the file any more: an error has no consequence.
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}
