package datamanagement

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// delivery is one arrival of a message.
type delivery struct {
	Message
	transient bool // this attempt is to fail
	failed    bool // each attempt fails
	again     bool // it comes after another delivery or attempt, and never joins a batch of it
	attempts  int  // that failed
	records   int  // that are ingested of it; 0: all
	unread    bool // its message could not be read
}

// source is the blob's address without its signature.
func (d *delivery) source() string {
	path, _, _ := strings.Cut(d.BlobPath, "?")
	return path
}

// batch is blobs that are ingested together.
type batch struct {
	key        string
	deliveries []*delivery
	bytes      int64         // raw size as the messages give it
	sealed     chan struct{} // closed when nothing is added any more
}

// batchKey returns a key that is equal for messages that can share a batch.
func batchKey(m Message) string {
	p := m.Properties
	key, err := json.Marshal([]any{
		m.Database, m.Table, p.Identity, p.Format, p.Mapping, p.MappingReference, p.MappingType, p.IgnoreFirst,
		p.Tags, p.IfNotExists, p.CreationTime,
	})
	if err != nil {
		return m.ID
	}
	return string(key)
}

// alone says whether a blob makes a batch of its own: by the reasons SingleBlob_*
// of https://learn.microsoft.com/kusto/management/batching-policy#sealing-a-batch.
func (d *delivery) alone() bool {
	p := d.Properties
	return d.again || d.RawDataSize == 0 || len(p.IfNotExists) > 0 ||
		slices.ContainsFunc(p.Tags, func(tag string) bool { return strings.HasPrefix(tag, "ingest-by:") })
}

// add puts a delivery into the open batch for it, and seals that if it is full.
func (s *Service) add(d *delivery) {
	if d.alone() {
		s.ingestLater(&batch{deliveries: []*delivery{d}})
		return
	}
	policy := s.o.Engine.BatchingPolicy(d.Database, d.Table)
	span := policy.MaximumBatchingTimeSpan
	if s.o.Batching > 0 {
		span = s.o.Batching
	}
	key := batchKey(d.Message)
	s.mu.Lock()
	b := s.open[key]
	isNew := b == nil
	if isNew {
		b = &batch{key: key, sealed: make(chan struct{})}
		s.open[key] = b
	}
	if slices.ContainsFunc(b.deliveries, func(x *delivery) bool { return x.source() == d.source() }) {
		s.mu.Unlock()
		s.fail(d, &Failure{
			Code: "BlobAlreadyReceived_BlobAlreadyFoundInBatch", Permanent: true,
			Details: "The blob is in the batch already.",
		})
		return
	}
	b.deliveries = append(b.deliveries, d)
	b.bytes += d.RawDataSize
	full := d.FlushImmediately || len(b.deliveries) >= policy.MaximumNumberOfItems ||
		b.bytes >= int64(policy.MaximumRawDataSizeMB)<<20
	s.mu.Unlock()
	switch {
	case full:
		s.seal(b)
	case isNew:
		s.waitFor(b, span)
	}
}

// waitFor seals a batch after span.
func (s *Service) waitFor(b *batch, span time.Duration) {
	s.work.after(span, b.sealed, func() { s.seal(b) })
}

// seal closes a batch and has it ingested. A batch is sealed once.
func (s *Service) seal(b *batch) {
	s.mu.Lock()
	open := s.open[b.key] == b
	if open {
		delete(s.open, b.key)
		close(b.sealed)
	}
	s.mu.Unlock()
	if open {
		s.ingestLater(b)
	}
}

// ingestLater ingests a batch when its turn comes.
func (s *Service) ingestLater(b *batch) {
	s.work.start(func() {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
			s.ingest(b)
		case <-s.work.ctx.Done():
		}
	})
}

// retry delivers again after a transient failure.
func (s *Service) retry(d *delivery) {
	next := *d
	next.transient, next.again = false, true
	next.attempts++
	s.work.after(s.o.Retry, nil, func() { s.add(&next) })
}
