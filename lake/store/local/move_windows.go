package local

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// moveExclusive gives an unfinished file its name, unless that exists. It
// returns when the move is on the disk.
func moveExclusive(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	err = os.NewSyscallError("MoveFileEx", windows.MoveFileEx(a, b, windows.MOVEFILE_WRITE_THROUGH))
	if !unsupported(err) {
		return err
	}
	if err = linkExclusive(from, to); errors.Is(err, errors.ErrUnsupported) {
		return errNoExclusive
	}
	return err
}

func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_NOT_SUPPORTED)
}

// syncFolder does nothing: moves are written through.
func syncFolder(string) error { return nil }
