package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// translate says what failed, and what to do next.
func translate(op, at string, err error) error {
	var done *tvmexport.Error
	if errors.As(err, &done) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &tvmexport.Error{Op: op + " " + at, Action: tvmexport.Stop, Err: err}
	var p *fs.PathError
	var l *os.LinkError
	if errors.As(err, &p) {
		e.Err = p.Err // Op has the path
	} else if errors.As(err, &l) {
		e.Err = l.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Err = store.ErrNotFound
	case errors.Is(err, fs.ErrExist):
		e.Err = store.ErrExists
	case errors.Is(err, fs.ErrPermission):
		e.Cause, e.Hint = tvmexport.Permission, "give this user write access to the folder"
	case errors.Is(err, errNoExclusive):
		e.Cause, e.Hint = tvmexport.Usage, "use a folder on a file system with hard links, such as ext4, XFS, APFS or NTFS"
	case errors.Is(err, syscall.ENOSPC):
		e.Hint = "free space on the disk"
	}
	return e
}
