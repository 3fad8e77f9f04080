package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/tvmexport/tvmexport/lake/store"
)

// conditions are the headers of a condition.
func conditions(c store.Condition) *blob.AccessConditions {
	m := &blob.ModifiedAccessConditions{}
	if c.Absent() {
		any := azcore.ETagAny
		m.IfNoneMatch = &any
	}
	if c.ETag() != "" {
		e := azcore.ETag(c.ETag())
		m.IfMatch = &e
	}
	return &blob.AccessConditions{ModifiedAccessConditions: m}
}

// refused is the error of a condition that is false: some stores answer a false If-None-Match
// with 412, and a false If-Match with 404.
func (s *Store) refused(name string, c store.Condition, err error) error {
	switch {
	case c.Absent() && (errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrExists)):
		return s.fail("write", name, store.ErrExists)
	case c.ETag() != "" && (errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrChanged)):
		return s.fail("write", name, store.ErrChanged)
	}
	return err
}

func isRefusal(err error) bool {
	return errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrChanged)
}

// Put writes a small file.
func (s *Store) Put(ctx context.Context, name string, data []byte, c store.Condition) (store.Info, error) {
	full, err := s.name("write", name)
	if err != nil {
		return store.Info{}, err
	}
	return s.put(ctx, name, full, data, c)
}

func (s *Store) put(ctx context.Context, name, full string, data []byte, c store.Condition) (store.Info, error) {
	var r blockblob.UploadResponse
	unsure, err := s.try(ctx, "write", name, func(ctx context.Context) (err error) {
		r, err = s.file(full).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{AccessConditions: conditions(c)})
		return err
	})
	if err == nil {
		return s.written(name, int64(len(data)), r.LastModified, r.ETag)
	}
	err = s.refused(name, c, err)
	if !unsure || !isRefusal(err) {
		return store.Info{}, err
	}
	// An attempt whose answer was lost may have written the file.
	info, ours, readErr := s.holds(ctx, name, data)
	switch {
	case readErr != nil:
		return store.Info{}, readErr
	case ours:
		return info, nil
	}
	return store.Info{}, err
}

// holds says whether a file has a content.
func (s *Store) holds(ctx context.Context, name string, data []byte) (store.Info, bool, error) {
	o, err := s.Open(ctx, name, store.Range{})
	if errors.Is(err, store.ErrNotFound) {
		return store.Info{}, false, nil
	}
	if err != nil {
		return store.Info{}, false, err
	}
	defer o.Body.Close()
	if o.Size != int64(len(data)) {
		return o.Info, false, nil
	}
	now, err := io.ReadAll(o.Body)
	return o.Info, bytes.Equal(now, data), err
}

// written is the Info of a file that was written. Without an ETag, a store cannot be used.
func (s *Store) written(name string, size int64, modified *time.Time, etag *azcore.ETag) (store.Info, error) {
	if value(etag) == "" {
		return store.Info{}, s.fail("write", name, errors.New("the answer has no ETag"))
	}
	return store.Info{Name: name, Size: size, Modified: value(modified), ETag: string(*etag)}, nil
}

// upload is a file that is being written in blocks.
type upload struct {
	store      *Store
	ctx        context.Context
	name, full string
	id         string // of the upload, in the names of its blocks
	buffer     []byte
	blocks     []string
	size       int64
	failed     error
	done       bool
}

var errDone = errors.New("the file is complete or discarded")

// Create begins to write a file. Its blocks are in no file until Commit, and the service
// removes those of an upload that ends without one, after a week.
func (s *Store) Create(ctx context.Context, name string) (store.Upload, error) {
	full, err := s.name("write", name)
	if err != nil {
		return nil, err
	}
	return &upload{store: s, ctx: ctx, name: name, full: full, id: rand.Text()}, nil
}

func (u *upload) Write(p []byte) (n int, err error) {
	if u.failed == nil && u.done {
		u.failed = u.store.fail("write", u.name, errDone)
	}
	for len(p) > 0 && u.failed == nil {
		if u.buffer == nil {
			u.buffer = make([]byte, 0, u.store.blockBytes)
		}
		k := min(len(p), cap(u.buffer)-len(u.buffer))
		u.buffer, p, n = append(u.buffer, p[:k]...), p[k:], n+k
		u.size += int64(k)
		if len(u.buffer) == cap(u.buffer) {
			u.failed = u.stage(u.ctx)
		}
	}
	return n, u.failed
}

// stage sends the buffer as a block. A block that is sent twice is there once.
func (u *upload) stage(ctx context.Context) error {
	id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%06d", u.id, len(u.blocks)))
	_, err := u.store.try(ctx, "write", u.name, func(ctx context.Context) error {
		_, err := u.store.file(u.full).StageBlock(ctx, id, streaming.NopCloser(bytes.NewReader(u.buffer)), nil)
		return err
	})
	u.blocks, u.buffer = append(u.blocks, id), u.buffer[:0]
	return err
}

// Commit makes the file appear.
func (u *upload) Commit(ctx context.Context) (store.Info, error) {
	if u.failed == nil && u.done {
		u.failed = u.store.fail("write", u.name, errDone)
	}
	if u.failed == nil && ctx.Err() != nil {
		u.failed = context.Cause(ctx)
	}
	if u.failed != nil {
		return store.Info{}, u.failed
	}
	if len(u.blocks) == 0 {
		info, err := u.store.put(ctx, u.name, u.full, u.buffer, store.IfAbsent())
		u.end(err)
		return info, err
	}
	var err error
	if len(u.buffer) > 0 {
		err = u.stage(ctx)
	}
	var info store.Info
	if err == nil {
		info, err = u.list(ctx)
	}
	u.end(err)
	return info, err
}

func (u *upload) end(err error) { u.failed, u.done, u.buffer = err, true, nil }

// list makes a file of the blocks.
func (u *upload) list(ctx context.Context) (store.Info, error) {
	s := u.store
	var r blockblob.CommitBlockListResponse
	unsure, err := s.try(ctx, "write", u.name, func(ctx context.Context) (err error) {
		r, err = s.file(u.full).CommitBlockList(ctx, u.blocks, &blockblob.CommitBlockListOptions{AccessConditions: conditions(store.IfAbsent())})
		if bloberror.HasCode(err, bloberror.InvalidBlockList) {
			// Another writer of the name completed it, which discards our blocks.
			if _, there := s.Stat(ctx, u.name); there == nil {
				return s.fail("write", u.name, store.ErrExists)
			}
		}
		return err
	})
	if err == nil {
		return s.written(u.name, u.size, r.LastModified, r.ETag)
	}
	err = s.refused(u.name, store.IfAbsent(), err)
	if !unsure || !errors.Is(err, store.ErrExists) {
		return store.Info{}, err
	}
	switch ours, readErr := u.ours(ctx); {
	case readErr != nil:
		return store.Info{}, readErr
	case ours:
		return s.Stat(ctx, u.name)
	}
	return store.Info{}, err
}

// ours says whether the file consists of the blocks of this upload.
func (u *upload) ours(ctx context.Context) (bool, error) {
	var r blockblob.GetBlockListResponse
	_, err := u.store.try(ctx, "read", u.name, func(ctx context.Context) (err error) {
		r, err = u.store.file(u.full).GetBlockList(ctx, blockblob.BlockListTypeCommitted, nil)
		return err
	})
	if err != nil {
		return false, err
	}
	return slices.EqualFunc(r.CommittedBlocks, u.blocks, func(b *blockblob.Block, id string) bool { return value(b.Name) == id }), nil
}

// Abort discards what was written.
func (u *upload) Abort() error {
	u.done, u.buffer = true, nil
	return nil
}
