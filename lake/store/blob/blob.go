package blob

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/tvmexport/tvmexport/lake/store"
)

// Options are how a store is reached.
type Options struct {
	Credential azcore.TokenCredential // not used if the URL has a shared access signature
	HTTPClient *http.Client           // nil: http.DefaultClient
	BlockBytes int                    // of an upload, which holds one block in memory; 0 is 8 MiB
}

// Store is a folder of a container.
type Store struct {
	address
	client     *container.Client
	blockBytes int
}

// Open returns the store at a URL. It sends no request.
func Open(text string, o Options) (*Store, error) {
	a, err := parse(text)
	if err != nil {
		return nil, err
	}
	options := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: -1}, // see Store.try
		Telemetry: policy.TelemetryOptions{ApplicationID: "tvmexport"},
	}}
	if o.HTTPClient != nil {
		options.Transport = o.HTTPClient
	}
	s := &Store{address: a, blockBytes: o.BlockBytes}
	if s.blockBytes == 0 {
		s.blockBytes = 8 << 20
	}
	switch {
	case a.signature != "":
		s.client, err = container.NewClientWithNoCredential(a.container.String()+"?"+a.signature, options)
	case o.Credential == nil:
		return nil, usage(errors.New("there is no sign-in for " + a.container.String()))
	case a.container.Scheme == "http":
		return nil, usage(errors.New("a sign-in is sent to https:// only"))
	default:
		s.client, err = container.NewClient(a.container.String(), o.Credential, options)
	}
	if err != nil {
		return nil, usage(err)
	}
	return s, nil
}

// Location is the URL of a file, without a signature.
func (s *Store) Location(name string) string {
	u := *s.container
	u.Path = strings.TrimSuffix(u.Path+"/"+s.folder+name, "/")
	return u.String()
}

// name is the name of a file in the container.
func (s *Store) name(op, name string) (string, error) {
	if !fs.ValidPath(name) || name == "." {
		return "", s.fail(op, name, errors.New("this is not a valid name of a file"))
	}
	return s.folder + name, nil
}

func (s *Store) file(name string) *blockblob.Client { return s.client.NewBlockBlobClient(name) }

// Stat describes a file.
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	full, err := s.name("read", name)
	if err != nil {
		return store.Info{}, err
	}
	var p blob.GetPropertiesResponse
	_, err = s.try(ctx, "read", name, func(ctx context.Context) (err error) {
		p, err = s.file(full).GetProperties(ctx, nil)
		return err
	})
	if err != nil {
		return store.Info{}, err
	}
	if p.Metadata["Hdi_isfolder"] != nil || p.Metadata["hdi_isfolder"] != nil {
		return store.Info{}, s.fail("read", name, store.ErrNotFound)
	}
	return store.Info{Name: name, Size: value(p.ContentLength), Modified: value(p.LastModified), ETag: string(value(p.ETag))}, nil
}

// value is what a pointer of the library points to.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Delete removes a file.
func (s *Store) Delete(ctx context.Context, name string) error {
	full, err := s.name("delete", name)
	if err != nil {
		return err
	}
	_, err = s.try(ctx, "delete", name, func(ctx context.Context) error {
		_, err := s.file(full).Delete(ctx, nil)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// clockName is a file that does not exist. The service answers with its time.
const clockName = "_tvmexport/clock"

// Now is the time of the service.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	_, err = s.try(ctx, "read the time of", "", func(ctx context.Context) error {
		var date string
		p, err := s.file(s.folder+clockName).GetProperties(ctx, nil)
		if failed, ok := errors.AsType[*azcore.ResponseError](err); ok && failed.StatusCode == http.StatusNotFound && failed.RawResponse != nil {
			date, err = failed.RawResponse.Header.Get("Date"), missingContainer(failed)
		} else if err == nil && p.Date != nil {
			date = p.Date.UTC().Format(http.TimeFormat)
		}
		if err != nil {
			return err
		}
		if now, err = http.ParseTime(date); err != nil {
			return errors.New("the answer has no valid time in the header Date")
		}
		return nil
	})
	return now.UTC(), err
}
