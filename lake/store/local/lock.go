package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// errLocked says that another process or caller holds a lock.
var errLocked = errors.New("another process holds the lock")

// Lock takes the lock of a name, if it is free. It is a lock of the operating
// system on a file next to the name, which is never removed: a removed lock file
// would let two processes lock two files of one name.
func (s *Store) Lock(_ context.Context, name string) (unlock func() error, locked bool, err error) {
	at, err := s.path("lock", name)
	if err != nil {
		return nil, false, err
	}
	f, err := tryLock(at)
	if errors.Is(err, errLocked) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, translate("lock", at, err)
	}
	return f.Close, true, nil
}

func tryLock(at string) (*os.File, error) {
	folder, base := filepath.Split(at)
	if err := makeFolder(filepath.Clean(folder)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(folder, locks+base), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// serialise waits for the conditional writes of a file by others. They are short.
func (s *Store) serialise(ctx context.Context, at string) (unlock func() error, err error) {
	for {
		f, err := tryLock(at + ".write")
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, errLocked) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
