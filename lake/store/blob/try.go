package blob

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wait"
	"github.com/tvmexport/tvmexport/lake/store"
)

const (
	attempts    = 6
	attemptTime = 5 * time.Minute // of one request
	longestWait = 2 * time.Minute // that a service may ask for
)

var pauses = wait.Backoff{First: 500 * time.Millisecond, Longest: 15 * time.Second, Low: 0.5, High: 1}

// try sends a request, and again while its failure is a passing one. unsure says that an
// attempt before the last one may have been carried out, although it failed.
func (s *Store) try(ctx context.Context, op, name string, send func(context.Context) error) (unsure bool, err error) {
	for n := 1; ; n++ {
		one, cancel := context.WithTimeout(ctx, attemptTime)
		err = send(one)
		cancel()
		if err == nil {
			return unsure, nil
		}
		if ctx.Err() != nil {
			return unsure, context.Cause(ctx)
		}
		pause, again := repeatable(err)
		if !again || n == attempts {
			return unsure, s.translate(op, name, err)
		}
		unsure = true
		if err := wait.For(ctx, max(pause, pauses.After(n))); err != nil {
			return unsure, err
		}
	}
}

// repeatable says whether a request can succeed later, and how long the service asks to wait.
func repeatable(err error) (pause time.Duration, again bool) {
	var signIn interface{ NonRetriable() }
	if errors.As(err, &signIn) {
		return 0, false
	}
	failed, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		own, ok := errors.AsType[*tvmexport.Error](err)
		return 0, !ok || own.Action == tvmexport.Retry // without ok, the connection
	}
	if failed.RawResponse != nil {
		if n, err := strconv.Atoi(failed.RawResponse.Header.Get("Retry-After")); err == nil && n > 0 {
			pause = min(time.Duration(min(n, 3600))*time.Second, longestWait)
		}
	}
	switch failed.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return pause, true
	}
	return 0, false
}

// missingContainer is the error of an answer that says so; nil for other ones.
func missingContainer(failed *azcore.ResponseError) error {
	if bloberror.HasCode(failed, bloberror.ContainerNotFound, bloberror.ContainerBeingDeleted) || failed.ErrorCode == "FilesystemNotFound" {
		return failed
	}
	return nil
}

// translate says what failed, and what to do next.
func (s *Store) translate(op, name string, err error) error {
	e := &tvmexport.Error{Op: op + " " + s.Location(name), Action: tvmexport.Stop, Err: err}
	failed, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		if own, ok := errors.AsType[*tvmexport.Error](err); ok {
			return own
		}
		e.Err = errors.New(s.clean(err.Error()))
		return e
	}
	e.Err = errors.New(strings.TrimSpace(strconv.Itoa(failed.StatusCode) + " " + failed.ErrorCode))
	switch {
	case missingContainer(failed) != nil:
		e.Cause, e.Hint = tvmexport.Usage, "create the container "+s.container.String()+", or correct lake.path"
	case failed.StatusCode == http.StatusNotFound:
		e.Err = store.ErrNotFound
	case failed.StatusCode == http.StatusConflict && bloberror.HasCode(failed, bloberror.BlobAlreadyExists, "PathAlreadyExists"):
		e.Err = store.ErrExists
	case failed.StatusCode == http.StatusPreconditionFailed:
		e.Err = store.ErrChanged
	case failed.StatusCode == http.StatusUnauthorized, failed.StatusCode == http.StatusForbidden:
		e.Cause, e.Hint = tvmexport.Permission, "give the sign-in the role Storage Blob Data Contributor on the container; for OneLake, the role Contributor in the workspace"
		if s.signature != "" {
			e.Hint = "make a new shared access signature with the permissions read, create, write, delete and list"
		}
	case failed.StatusCode == http.StatusConflict:
		e.Hint = "a lease, a hold or an immutability policy of the account keeps the blob from being written"
	case failed.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		e.Err = errRange
	}
	return e
}

var errRange = errors.New("the range begins after the end of the file")

// clean removes the signature of the store from a text.
func (s *Store) clean(text string) string {
	if s.signature == "" {
		return text
	}
	return strings.ReplaceAll(text, s.signature, "...")
}

func (s *Store) fail(op, name string, err error) error { return store.Fail(s, op, name, err) }
