package datamanagement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// Accounts is Storage made of two emulated storage accounts.
type Accounts struct {
	storage  *storage.Storage
	base     string
	hostForm bool
	now      func() time.Time
}

// The accounts, and what is in them. Clients rank accounts by how well they did,
// so there is more than one.
var accounts = []string{"emulatorstorage00", "emulatorstorage01"}

const (
	container   = "ingestdata-tempstorage"
	exports     = "exportresults"
	readyQueue  = "readyforaggregation-secured"
	failedQueue = "failedingestions"
	doneQueue   = "successfulingestions"
	statusTable = "ingestionsstatus"
)

// hostPrefix precedes the name in a host under which every account and
// service has a host of its own.
const hostPrefix = "{account}.{kind}."

// grantLife is how long the addresses that are handed out are good for.
const grantLife = 36 * time.Hour

// pollHidden is how often queues are looked at while messages in them are hidden.
const pollHidden = time.Second

// NewAccounts adds the accounts to s. host is the host, with its port if need be,
// that their URLs have: "NAME" with the account in the path, or
// "{account}.{kind}.NAME". now is the clock of signatures, nil for time.Now.
func NewAccounts(s *storage.Storage, host string, now func() time.Time) *Accounts {
	if now == nil {
		now = time.Now
	}
	a := &Accounts{storage: s, now: now}
	host, a.hostForm = strings.CutPrefix(host, hostPrefix)
	a.base = "https://" + host
	for _, r := range append(a.all(), a.exportContainers()...) {
		s.Add(r.Resource)
	}
	return a
}

type typed struct {
	storage.Resource
	of          string // type of resource
	permissions string
}

func (a *Accounts) all() []typed {
	var list []typed
	for _, account := range accounts {
		list = append(list,
			typed{storage.Resource{Kind: storage.Blob, Account: account, Name: container}, TempStorage, "rcw"},
			typed{storage.Resource{Kind: storage.Queue, Account: account, Name: readyQueue}, SecuredReadyForAggregation, "a"})
	}
	return append(list,
		typed{a.queue(failedQueue), FailedIngestionsQueue, "rap"},
		typed{a.queue(doneQueue), SuccessfulIngestionsQueue, "rap"},
		typed{a.table(), IngestionsStatusTableResource, "rau"})
}

// exportContainers are containers that an export may write to, with the permissions
// that the Spark connector expects of .show export containers.
func (a *Accounts) exportContainers() []typed {
	var list []typed
	for _, account := range accounts {
		list = append(list, typed{storage.Resource{Kind: storage.Blob, Account: account, Name: exports}, TempStorage, "rwl"})
	}
	return list
}

func (a *Accounts) queue(name string) storage.Resource {
	return storage.Resource{Kind: storage.Queue, Account: accounts[0], Name: name}
}

func (a *Accounts) table() storage.Resource {
	return storage.Resource{Kind: storage.Table, Account: accounts[0], Name: statusTable}
}

// Resources are the addresses of everything for ingestion, with fresh signatures.
func (a *Accounts) Resources() []Resource { return a.addresses(a.all()) }

// ExportContainers are the addresses of containers for exports, with fresh signatures.
func (a *Accounts) ExportContainers() []Resource { return a.addresses(a.exportContainers()) }

func (a *Accounts) addresses(of []typed) []Resource {
	now := a.now()
	var list []Resource
	for _, r := range of {
		grant := storage.Grant{Permissions: r.permissions, From: now.Add(-5 * time.Minute), Until: now.Add(grantLife)}
		list = append(list, Resource{Type: r.of, Root: a.storage.URL(a.base, a.hostForm, r.Resource, grant)})
	}
	return list
}

// OpenBlob reads a blob.
func (a *Accounts) OpenBlob(_ context.Context, address string) (io.ReadCloser, error) {
	content, err := a.storage.Open(address)
	if err != nil {
		return nil, storageError(err)
	}
	return content, nil
}

// storageError says with the errors of io/fs what a storage error means.
func storageError(err error) error {
	e, ok := errors.AsType[*storage.Error](err)
	switch {
	case ok && e.Status == http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case ok && e.Status == http.StatusForbidden:
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	case ok && e.Status < http.StatusInternalServerError:
		return &Failure{Code: "Download_BadRequest", Permanent: true, Details: err.Error()}
	}
	return err
}

// DeleteBlob removes a blob.
func (a *Accounts) DeleteBlob(address string) { a.storage.Delete(address) }

// ReleaseBlob lets a blob go when there is no room left.
func (a *Accounts) ReleaseBlob(address string) { a.storage.Release(address) }

// Receive takes the next message from the queues of both accounts.
func (a *Accounts) Receive(ctx context.Context) (string, error) {
	queues := make([]*storage.Messages, len(accounts))
	for i, account := range accounts {
		queues[i] = a.storage.Messages(storage.Resource{Kind: storage.Queue, Account: account, Name: readyQueue})
	}
	for {
		var poll <-chan time.Time
		for _, q := range queues {
			for _, m := range q.Get(1, time.Minute) {
				if q.Delete(m.ID, m.Receipt) == nil {
					return m.Text, nil
				}
			}
			if q.Len() > 0 {
				poll = time.After(pollHidden)
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-queues[0].Arrived():
		case <-queues[1].Arrived():
		case <-poll:
		}
	}
}

// Notify puts a message into the queue of failures or successes.
func (a *Accounts) Notify(resourceType, text string) error {
	name := doneQueue
	if resourceType == FailedIngestionsQueue {
		name = failedQueue
	}
	a.storage.Messages(a.queue(name)).Put(text, 0, 0)
	return nil
}

// UpdateStatus changes a row of the status table.
func (a *Accounts) UpdateStatus(table, partitionKey, rowKey string, properties map[string]any) error {
	u, err := url.Parse(table)
	// The Node SDK leaves the table's name out of the address.
	if err != nil || strings.Trim(u.Path, "/") != "" && path.Base(u.Path) != statusTable {
		return fmt.Errorf("%w: the status table that the message names", fs.ErrNotExist)
	}
	return a.storage.Entities(a.table()).Merge(partitionKey, rowKey, properties)
}
