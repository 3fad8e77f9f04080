//go:build !windows

package spool

import (
	"errors"
	"os"
	"syscall"
)

// lockFile makes a file and locks it. The lock ends with the process. It fails where
// another process has it.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		var mine, there os.FileInfo
		if mine, err = f.Stat(); err == nil {
			// Another process may have removed it before it was locked.
			if there, err = os.Stat(name); err == nil && !os.SameFile(mine, there) {
				err = os.ErrNotExist
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unlockFile removes a file that lockFile has made.
func unlockFile(f *os.File) error { return errors.Join(os.Remove(f.Name()), f.Close()) }
