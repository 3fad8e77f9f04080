package emulator

import (
	"errors"
	"fmt"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("another process holds it")

// lockDir takes the folder for this emulator: a second one would overwrite the
// certificate and the credentials of the first. The system releases the lock when the
// process ends, also when it is killed.
func lockDir(dir string) (release func() error, err error) {
	file, err := openLocked(dir)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("emulator: the folder %s is in use by a running emulator; stop that one, or choose another --dir", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("emulator: lock the folder %s: %w", dir, err)
	}
	return file.Close, nil
}
