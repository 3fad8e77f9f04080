package local

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/lake/store"
)

// List returns the files whose names begin with prefix, in the order of names.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		folder := ""
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			folder = prefix[:i]
		}
		s.walk(ctx, folder, func(name string, d fs.DirEntry, err error) bool {
			if err != nil {
				return yield(store.Info{}, err)
			}
			if !strings.HasPrefix(name, prefix) || name <= after || unfinished(d.Name()) {
				return true
			}
			i, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return true // deleted meanwhile
			}
			if err != nil {
				return yield(store.Info{}, translate("list", s.Location(name), err))
			}
			return yield(store.Info{Name: name, Size: i.Size(), Modified: i.ModTime()}, nil)
		})
	}
}

func unfinished(base string) bool {
	return strings.HasPrefix(base, temporary) || strings.HasPrefix(base, locks)
}

// walk calls f for each regular file below a folder, in the order of full names,
// until f returns false.
func (s *Store) walk(ctx context.Context, folder string, f func(name string, d fs.DirEntry, err error) bool) bool {
	if err := ctx.Err(); err != nil {
		return f(folder, nil, err)
	}
	list, err := os.ReadDir(filepath.Join(s.root, filepath.FromSlash(folder)))
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return f(folder, nil, translate("list", s.Location(folder), err))
	}
	for _, d := range inOrder(list) {
		name := path.Join(folder, d.Name())
		switch {
		case d.IsDir():
			if !s.walk(ctx, name, f) {
				return false
			}
		case d.Type().IsRegular():
			if !f(name, d, nil) {
				return false
			}
		}
	}
	return true
}

// Clean removes the unfinished files of writers that died, if they are older
// than the time.
func (s *Store) Clean(ctx context.Context, before time.Time) (removed int, err error) {
	s.walk(ctx, "", func(name string, d fs.DirEntry, failed error) bool {
		if failed != nil {
			err = failed
			return false
		}
		if !strings.HasPrefix(d.Name(), temporary) {
			return true
		}
		i, statErr := d.Info()
		if statErr != nil || !i.ModTime().Before(before) {
			return true
		}
		if rmErr := os.Remove(s.Location(name)); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
			err = translate("delete", s.Location(name), rmErr)
			return false
		}
		removed++
		return true
	})
	return removed, err
}
