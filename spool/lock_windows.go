package spool

import (
	"errors"
	"os"
)

// lockFile makes a file and keeps it open: an open file cannot be removed. It fails
// where another process has it.
func lockFile(name string) (*os.File, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// unlockFile removes a file that lockFile has made.
func unlockFile(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }
