//go:build unix

package local

import (
	"errors"
	"os"
	"syscall"
)

// moveExclusive gives an unfinished file its name, unless that exists.
func moveExclusive(from, to string) error {
	err := linkExclusive(from, to)
	if errors.Is(err, errors.ErrUnsupported) {
		err = renameExclusive(from, to)
	}
	if unsupported(err) {
		return errNoExclusive
	}
	return err
}

// unsupported says whether a file system lacks an operation. Linux reports EPERM
// for links where the file system has none.
func unsupported(err error) bool {
	for _, e := range []error{errors.ErrUnsupported, syscall.EPERM, syscall.ENOSYS, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.EINVAL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// syncFolder makes the names in a folder durable, where the file system can.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
