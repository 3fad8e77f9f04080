package datamanagement

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// Options configures a Service.
type Options struct {
	Engine  *engine.Engine
	Storage Storage
	// Admin is who the service itself is to the engine: a mapping that brings
	// new columns makes them under this name. It should be one of the engine's
	// administrators.
	Admin engine.Principal
	// Now is the clock of timestamps; nil is time.Now. Waiting uses the
	// process's clock.
	Now func() time.Time
	// Batching is how long a batch stays open, over every policy; 0 leaves it
	// to the policies.
	Batching time.Duration
	// Retry is how long after a transient failure a blob is tried again; 0 is
	// five seconds.
	Retry time.Duration
	// StreamNeedsMapping refuses streamed JSON that names no mapping.
	StreamNeedsMapping bool
	// Deliver says what becomes of a message: it is delivered once per outcome.
	// nil, and a nil slice with ok false, is one delivery at once.
	Deliver func(m Message) (outcomes []Outcome, ok bool)
	// Log gets a line for what nobody else may hear of; nil is no log.
	Log *slog.Logger
}

// Outcome is one delivery of a message.
type Outcome struct {
	After     time.Duration // how late it comes
	Transient bool          // its first attempt fails, the next does not
	Failed    bool          // it fails permanently, though its blob could be read
	Records   int           // only so many records of it are ingested; 0: all
}

// Service is a running ingestion service. Its methods may be called from several
// goroutines at once. Close it.
type Service struct {
	o          Options
	identities identities
	targets    targets
	reports    reports
	work       *work
	slots      chan struct{} // held while a batch is ingested

	mu    sync.Mutex
	open  map[string]*batch // by key
	stats Stats
}

// Stats counts what a Service did since it was made.
type Stats struct {
	Messages     int64 // taken from the queues
	Blobs        int64 // ingested
	Rows         int64 // ingested from blobs or streams, update policies aside
	Bytes        int64 // of blobs and streams as uploaded
	Batches      int64 // ingested
	Skipped      int64 // blobs whose ingest-by tag already existed
	Failed       int64 // blobs that failed permanently
	SkippedLines int64 // malformed lines of format json, left out in silence
	Streams      int64 // streaming ingestions
}

// parallel is how many batches are ingested at a time.
const parallel = 2

const defaultRetry = 5 * time.Second

// New starts a service.
func New(o Options) (*Service, error) {
	if o.Engine == nil || o.Storage == nil {
		return nil, errors.New("datamanagement: the options name no engine or no storage")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Retry == 0 {
		o.Retry = defaultRetry
	}
	s := &Service{o: o, work: newWork(), slots: make(chan struct{}, parallel), open: map[string]*batch{}}
	s.identities = identities{key: newKey(), now: s.now}
	s.targets = targets{engine: o.Engine, admin: o.Admin, identities: s.identities, ctx: s.work.ctx}
	s.reports = reports{engine: o.Engine, storage: o.Storage, identities: s.identities, now: s.now}
	s.work.start(s.receive)
	return s, nil
}

// Close ends the service. What was not ingested by then is left.
func (s *Service) Close() error {
	s.work.close()
	return nil
}

// Settled says whether the first so many messages have been taken from the queues, and
// nothing is still to be ingested, retried or delivered later. changed is closed when
// that may be different.
func (s *Service) Settled(messages int64) (settled bool, changed <-chan struct{}) {
	return s.work.settled(messages)
}

// Stats counts what was done.
func (s *Service) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Service) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

func (s *Service) now() time.Time { return s.o.Now().UTC() }

// receive takes messages until there will be no more.
func (s *Service) receive() {
	for {
		text, err := s.o.Storage.Receive(s.work.ctx)
		if err != nil {
			return
		}
		s.count(func(x *Stats) { x.Messages++ })
		if m, err := ParseMessage(text); err != nil {
			s.unreadable(m, failureOf(err))
		} else {
			s.deliver(m)
		}
		s.work.handle()
	}
}

// deliver lets a message arrive as often and as late as it is to.
func (s *Service) deliver(m Message) {
	outcomes := []Outcome{{}}
	if s.o.Deliver != nil {
		if special, ok := s.o.Deliver(m); ok {
			outcomes = special
		}
	}
	for i, o := range outcomes {
		d := &delivery{Message: m, transient: o.Transient, failed: o.Failed, again: i > 0 || o.Records > 0, records: o.Records}
		if i < len(outcomes)-1 {
			d.RetainBlob = true // for the deliveries behind it
		}
		if o.After > 0 {
			s.work.after(o.After, nil, func() { s.add(d) })
		} else {
			s.add(d)
		}
	}
}
