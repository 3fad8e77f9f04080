package storage

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

// Options configures a Storage. The zero value works.
type Options struct {
	// Now is the clock of signatures, queues and tables; nil is time.Now.
	Now func() time.Time
	// Disk is the folder for the content of blobs. Storage writes below it and
	// removes what it wrote when it is closed. Without Dir content is kept in memory.
	Disk disk.Folder
	// Key signs shared access signatures; nil makes one up.
	Key []byte
	// Keep is how many bytes of blobs stay after Release; the oldest go first.
	// 0 is 64 MiB in memory and 1 GiB on disk.
	Keep int64
	// Authorize decides on a request for a blob that comes with a token instead of a
	// signature, for a permission that Grant names; nil refuses all of them. The error
	// is an *Error.
	Authorize func(r *http.Request, at Resource, anyOf string) error
}

// Kind is a service of a storage account.
type Kind string

// The services.
const (
	Blob  Kind = "blob"
	Queue Kind = "queue"
	Table Kind = "table"
)

// Resource names a container, a queue or a table.
type Resource struct {
	Kind    Kind
	Account string
	Name    string
}

// Storage is some storage accounts. All its methods may be called from several
// goroutines at once.
type Storage struct {
	signer
	blobs  *blobs
	queues *queues
	tables *tables
}

// Stats is what was put into a Storage since it was made.
type Stats struct {
	Blobs     int64 // blobs that were completed
	BlobBytes int64 // their bytes
	Messages  int64 // messages that clients put into queues
}

// New is a Storage without resources.
func New(o Options) *Storage {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Key == nil {
		id := uuid.New()
		o.Key = append(id[:], "emulated storage"...)
	}
	if o.Keep == 0 {
		o.Keep = 64 << 20
		if o.Disk.Dir != "" {
			o.Keep = 1 << 30
		}
	}
	by := signer{key: o.Key, now: o.Now}
	return &Storage{
		signer: by,
		blobs:  &blobs{signer: by, tokens: o.Authorize, keep: o.Keep, spool: spool{in: o.Disk, memory: o.Disk.Dir == ""}, containers: map[Resource]*container{}},
		queues: &queues{signer: by, byName: map[Resource]*Messages{}},
		tables: &tables{signer: by, byName: map[Resource]*Entities{}},
	}
}

// Close removes the files of blobs.
func (s *Storage) Close() error { return s.blobs.spool.close() }

// Add creates an empty resource. It keeps an existing one.
func (s *Storage) Add(r Resource) {
	switch r.Kind {
	case Blob:
		s.blobs.add(r)
	case Queue:
		s.queues.add(r)
	case Table:
		s.tables.add(r)
	}
}

// Messages are those of a queue, nil if there is no such queue.
func (s *Storage) Messages(r Resource) *Messages { return s.queues.messages(r) }

// Entities are those of a table, nil if there is no such table.
func (s *Storage) Entities(r Resource) *Entities { return s.tables.entities(r) }

// Stats counts what was put into the storage.
func (s *Storage) Stats() Stats {
	stats := s.blobs.count()
	stats.Messages = s.queues.received.Load()
	return stats
}

// ServeHTTP serves all three services.
func (s *Storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Server", "Windows-Azure-Storage-Emulation/1.0")
	h.Set("X-Ms-Request-Id", uuid.NewString())
	h.Set("Date", s.now().UTC().Format(http.TimeFormat))
	if v := r.Header.Get("X-Ms-Version"); v != "" {
		h.Set("X-Ms-Version", v)
	}
	if id := r.Header.Get("X-Ms-Client-Request-Id"); id != "" {
		h.Set("X-Ms-Client-Request-Id", id)
	}
	at, err := s.locate(r.Host, r.URL.Path)
	if err == nil {
		switch at.Kind {
		case Blob:
			err = s.blobs.serve(w, r, at)
		case Queue:
			err = s.queues.serve(w, r, at)
		default:
			err = s.tables.serve(w, r, at)
		}
	}
	if err != nil {
		s.refuse(w, r, at.Kind, err)
	}
}
