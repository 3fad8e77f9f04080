// Package disktest has a disk that is full.
package disktest

import (
	"os"
	"sync/atomic"
	"syscall"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

// Disk takes Room bytes. What comes after that fails as on a full disk.
type Disk struct{ Room atomic.Int64 }

// Make makes a file on the disk, for disk.Folder.
func (d *Disk) Make(dir, pattern string) (disk.File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	return &file{f, d}, nil
}

type file struct {
	*os.File
	on *Disk
}

// take says whether n more bytes have room.
func (f *file) take(n int) error {
	if f.on.Room.Add(-int64(n)) < 0 {
		return &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return nil
}

// Write fails if there is no room for all of p.
func (f *file) Write(p []byte) (int, error) {
	if err := f.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteAt fails if there is no room for all of p.
func (f *file) WriteAt(p []byte, at int64) (int, error) {
	if err := f.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}
