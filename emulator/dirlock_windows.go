package emulator

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// sharingViolation is the system's error for a file that is open elsewhere.
const sharingViolation = syscall.Errno(32)

// deleteOnClose is FILE_FLAG_DELETE_ON_CLOSE.
const deleteOnClose = 0x04000000

// openLocked opens a file in the folder that nobody else can open meanwhile, or returns
// errLocked. The system deletes the file when it is closed.
func openLocked(dir string) (*os.File, error) {
	path := filepath.Join(dir, "emulator.lock")
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|deleteOnClose, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}
