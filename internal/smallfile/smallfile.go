// Package smallfile reads files that are small if they are what they are taken
// for, such as configurations, certificates and secrets. What is none of them,
// such as a directory, a device or a pipe that nobody writes to, is an error
// soon, and never fills the memory.
package smallfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// Limits for what is read.
const (
	Secret      = 64 << 10
	Certificate = 4 << 20 // also of a bundle of authorities
)

// patience is how long a pipe may take. Files do not know it.
const patience = 10 * time.Second

// Read reads a file of at most most bytes. Errors name the file.
func Read(path string, most int) ([]byte, error) {
	// A pipe without a writer must not block forever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return nil, fmt.Errorf("%s is a directory, not a file", path)
	case mode.IsRegular() && info.Size() > int64(most):
		return nil, tooLarge(path, most)
	case !mode.IsRegular():
		_ = f.SetReadDeadline(time.Now().Add(patience)) // devices do not know it
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%s is a pipe whose writer did not finish within %s", path, patience)
	case err != nil:
		return nil, err
	case len(data) > most:
		return nil, tooLarge(path, most)
	case len(data) == 0 && info.Mode()&os.ModeNamedPipe != 0:
		return nil, fmt.Errorf("%s is a pipe without a writer", path)
	}
	return data, nil
}

func tooLarge(path string, most int) error {
	size := fmt.Sprintf("%d KiB", most>>10)
	if most >= 1<<20 {
		size = fmt.Sprintf("%d MiB", most>>20)
	}
	return fmt.Errorf("%s is larger than %s; is it the right file?", path, size)
}
