package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// Probe checks that a store keeps the conditions of writes, with a scratch file
// that it deletes again. A store that ignores them would let two writers
// overwrite each other's commits.
func Probe(ctx context.Context, s Store) error {
	name := ".probe-" + rand.Text()
	refuse := func(format string, args ...any) error {
		return &tvmexport.Error{
			Op: "probe " + s.Location(""), Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: fmt.Errorf(format, args...),
			Hint: "use a local disk, or Azure Blob Storage",
		}
	}
	first, second := []byte("first"), []byte("second")
	if _, err := s.Put(ctx, name, first, IfAbsent()); err != nil {
		return err
	}
	defer s.Delete(context.WithoutCancel(ctx), name)
	switch _, err := s.Put(ctx, name, second, IfAbsent()); {
	case err == nil:
		return refuse("the store overwrites a file that must not exist: it ignores the condition of the write")
	case !errors.Is(err, ErrExists):
		return err
	}
	got, info, err := ReadAll(ctx, s, name, 64)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, first) {
		return refuse("the store refused a second write but changed the file")
	}
	if _, err := s.Put(ctx, name, second, IfMatch(info.ETag)); err != nil {
		return err
	}
	switch _, err := s.Put(ctx, name, first, IfMatch(info.ETag)); {
	case err == nil:
		return refuse("the store overwrites a file that has changed: it ignores the ETag of the write")
	case !errors.Is(err, ErrChanged):
		return err
	}
	return s.Delete(ctx, name)
}
