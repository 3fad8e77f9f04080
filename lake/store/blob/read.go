package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/tvmexport/tvmexport/lake/store"
)

// Open reads a file, or a range of it.
func (s *Store) Open(ctx context.Context, name string, r store.Range) (store.Object, error) {
	full, err := s.name("read", name)
	if err != nil {
		return store.Object{}, err
	}
	o := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: r.Offset, Count: r.Length}}
	if r.Offset < 0 { // the service has no ranges from the end
		info, err := s.Stat(ctx, name)
		if err != nil {
			return store.Object{}, err
		}
		offset, length := r.Of(info.Size)
		if length == 0 {
			return store.Object{Info: info, Body: http.NoBody}, nil
		}
		o.Range = blob.HTTPRange{Offset: offset, Count: length}
		etag := azcore.ETag(info.ETag)
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &etag}}
	}
	d, err := s.download(ctx, name, full, o)
	if errors.Is(err, errRange) {
		info, err := s.Stat(ctx, name)
		return store.Object{Info: info, Body: http.NoBody}, err
	}
	if err != nil {
		return store.Object{}, err
	}
	info := store.Info{Name: name, Size: value(d.ContentLength), Modified: value(d.LastModified), ETag: string(value(d.ETag))}
	left := info.Size
	if d.ContentRange != nil {
		if info.Size, err = total(*d.ContentRange); err != nil {
			d.Body.Close()
			return store.Object{}, s.fail("read", name, err)
		}
	}
	if d.ContentLength == nil || left < 0 {
		d.Body.Close()
		return store.Object{}, s.fail("read", name, errors.New("the answer has no Content-Length"))
	}
	return store.Object{Info: info, Body: &body{store: s, ctx: ctx, name: name, full: full, etag: d.ETag, from: d.Body, at: o.Range.Offset, left: left}}, nil
}

// download asks for a range. The caller closes the body. A body from which nothing comes for
// attemptTime ends with an error.
func (s *Store) download(ctx context.Context, name, full string, o *blob.DownloadStreamOptions) (d blob.DownloadStreamResponse, err error) {
	_, err = s.try(ctx, "read", name, func(context.Context) (err error) {
		one, cancel := context.WithCancelCause(ctx)
		timer := time.AfterFunc(attemptTime, func() { cancel(errSilent) })
		d, err = s.file(full).DownloadStream(one, o)
		if err != nil {
			timer.Stop()
			cancel(nil)
			return err
		}
		d.Body = &watched{d.Body, timer, func() { timer.Stop(); cancel(nil) }}
		return nil
	})
	return d, err
}

var errSilent = errors.New("the service sends nothing")

// watched is a body with a timer that ends its request.
type watched struct {
	io.ReadCloser
	timer *time.Timer
	end   func()
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(attemptTime)
	return w.ReadCloser.Read(p)
}

// Close ends the request.
func (w *watched) Close() error {
	w.end()
	return w.ReadCloser.Close()
}

// total is the size in bytes FROM-TO/SIZE.
func total(text string) (int64, error) {
	_, size, ok := strings.Cut(text, "/")
	n, err := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, fmt.Errorf("the answer has the Content-Range %q", text)
	}
	return n, nil
}

// body reads a range of one version of a file. Where the connection ends before the range, it
// continues with another request.
type body struct {
	store      *Store
	ctx        context.Context
	name, full string
	etag       *azcore.ETag
	from       io.ReadCloser
	at, left   int64
	cuts       int // since the last byte that was read
}

func (b *body) Read(p []byte) (int, error) {
	for {
		if b.left == 0 {
			return 0, io.EOF
		}
		n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
		b.at, b.left = b.at+int64(n), b.left-int64(n)
		if n > 0 {
			b.cuts = 0
			return n, nil
		}
		if err == nil {
			return 0, nil
		}
		if err := b.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume asks for the rest after a cut.
func (b *body) resume(cut error) error {
	b.from.Close()
	b.from = http.NoBody
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if b.cuts++; b.cuts == attempts {
		if errors.Is(cut, io.EOF) {
			cut = io.ErrUnexpectedEOF
		}
		return b.store.translate("read", b.name, fmt.Errorf("the answer ends %d bytes too early: %w", b.left, cut))
	}
	d, err := b.store.download(b.ctx, b.name, b.full, &blob.DownloadStreamOptions{
		Range:            blob.HTTPRange{Offset: b.at, Count: b.left},
		AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: b.etag}},
	})
	if err != nil {
		return err
	}
	b.from = d.Body
	return nil
}

func (b *body) Close() error { return b.from.Close() }

// List returns the files whose names begin with prefix. Accounts with hierarchical
// namespaces list a folder before the names that it begins.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		full := s.folder + prefix
		pages := s.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &full, Include: container.ListBlobsInclude{Metadata: true}})
		for pages.More() {
			var page container.ListBlobsFlatResponse
			_, err := s.try(ctx, "list", prefix, func(ctx context.Context) (err error) {
				page, err = pages.NextPage(ctx)
				return err
			})
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			if page.Segment == nil {
				continue
			}
			for _, b := range page.Segment.BlobItems {
				name := strings.TrimPrefix(value(b.Name), s.folder)
				if b.Properties == nil || folder(b) || name <= after {
					continue
				}
				p := b.Properties
				if !yield(store.Info{Name: name, Size: value(p.ContentLength), Modified: value(p.LastModified), ETag: tag(value(p.ETag))}, nil) {
					return
				}
			}
		}
	}
}

// folder says whether an entry is a folder of a hierarchical namespace.
func folder(b *container.BlobItem) bool {
	if b.Properties.ResourceType != nil && strings.EqualFold(*b.Properties.ResourceType, "directory") {
		return true
	}
	for key, v := range b.Metadata {
		if strings.EqualFold(key, "hdi_isfolder") && strings.EqualFold(value(v), "true") {
			return true
		}
	}
	return false
}

// tag is an ETag as in headers: lists have it without quotes.
func tag(e azcore.ETag) string {
	if e == "" || strings.HasPrefix(string(e), `"`) {
		return string(e)
	}
	return `"` + string(e) + `"`
}
