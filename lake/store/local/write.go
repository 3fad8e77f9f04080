package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tvmexport/tvmexport/lake/store"
)

// upload is an unfinished file.
type upload struct {
	name, at string
	file     *os.File
	failed   error // of a Write
	done     bool
}

// Create begins to write a file.
func (s *Store) Create(_ context.Context, name string) (store.Upload, error) {
	at, err := s.path("write", name)
	if err != nil {
		return nil, err
	}
	f, err := temp(at)
	if err != nil {
		return nil, translate("write", at, err)
	}
	return &upload{name: name, at: at, file: f}, nil
}

func (u *upload) Write(p []byte) (int, error) {
	n, err := u.file.Write(p)
	if err != nil {
		u.failed = translate("write", u.at, err)
		return n, u.failed
	}
	return n, nil
}

// Commit gives the file its name.
func (u *upload) Commit(ctx context.Context) (store.Info, error) {
	if u.failed == nil {
		u.failed = ctx.Err()
	}
	if u.failed != nil {
		return store.Info{}, u.failed
	}
	if err := u.file.Sync(); err != nil {
		return store.Info{}, translate("write", u.at, err)
	}
	if err := u.file.Close(); err != nil {
		return store.Info{}, translate("write", u.at, err)
	}
	if err := publish(u.file.Name(), u.at); err != nil {
		return store.Info{}, translate("write", u.at, err)
	}
	u.done = true
	i, err := os.Stat(u.at)
	if err != nil {
		return store.Info{}, translate("write", u.at, err)
	}
	return store.Info{Name: u.name, Size: i.Size(), Modified: i.ModTime()}, nil
}

// Abort removes the unfinished file.
func (u *upload) Abort() error {
	if u.done {
		return nil
	}
	u.done = true
	u.file.Close()
	if err := os.Remove(u.file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return translate("write", u.at, err)
	}
	return nil
}

// publish gives an unfinished file its name, unless the name exists, and makes that
// durable.
func publish(unfinished, at string) error {
	if err := moveExclusive(unfinished, at); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(at))
}

// Put writes a small file.
func (s *Store) Put(ctx context.Context, name string, data []byte, c store.Condition) (info store.Info, err error) {
	at, err := s.path("write", name)
	if err != nil {
		return info, err
	}
	if err := ctx.Err(); err != nil {
		return info, err
	}
	if c.ETag() != "" {
		unlock, err := s.serialise(ctx, at)
		if err != nil {
			return info, translate("write", at, err)
		}
		defer unlock()
		switch now, err := s.Stat(ctx, name); {
		case errors.Is(err, store.ErrNotFound), err == nil && now.ETag != c.ETag():
			return info, translate("write", at, store.ErrChanged)
		case err != nil:
			return info, err
		}
	}
	f, err := temp(at)
	if err != nil {
		return info, translate("write", at, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = translate("write", at, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return info, err
	}
	if err = f.Sync(); err != nil {
		return info, err
	}
	i, err := f.Stat()
	if err != nil {
		return info, err
	}
	if err = f.Close(); err != nil {
		return info, err
	}
	if c.Absent() {
		err = publish(f.Name(), at)
	} else if err = os.Rename(f.Name(), at); err == nil {
		err = syncFolder(filepath.Dir(at))
	}
	if err != nil {
		return info, err
	}
	info = store.Info{Name: name, Size: int64(len(data)), Modified: i.ModTime()}
	if info.Size <= hashed {
		info.ETag = tag(data)
	}
	return info, nil
}
