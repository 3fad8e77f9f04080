package spool

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tvmexport/tvmexport"
)

// Options say where rows are kept, and how they are read. The zero Options are those
// that most programs need.
type Options struct {
	Dir         string // where rows are kept while a table is exported; "" is DefaultDir
	MaxBytes    int64  // that are kept at most, of all tables; 0 is 20 GB
	Concurrency int    // units that are read at once, of all tables; 0 is 4
	Attempts    int    // at a unit that does not prove to be complete; 0 is 4
}

// DefaultMaxBytes bounds what is kept where Options do not say.
const DefaultMaxBytes = 20_000_000_000

// Source is a tvmexport.CountingSource over a tvmexport.ListingSource.
type Source struct {
	source   tvmexport.ListingSource
	attempts int
	reads    chan struct{} // one token per unit that is being read
	store    *store
	packer   packer
	pause    func(ctx context.Context, d time.Duration) error

	mu     sync.Mutex
	tables map[string]*table
}

var (
	_ tvmexport.CountingSource = (*Source)(nil)
	_ tvmexport.Releaser       = (*Source)(nil)
	_ tvmexport.Meter          = (*Source)(nil)
)

// New makes a Source. It uses the disk from the first question on. Close it, or
// release its tables, to remove what it keeps there.
func New(source tvmexport.ListingSource, o Options) (*Source, error) {
	atOnce := cmp.Or(o.Concurrency, 4)
	p, err := newPacker(atOnce)
	if err != nil {
		return nil, err
	}
	return &Source{
		source: source, attempts: cmp.Or(o.Attempts, 4), reads: make(chan struct{}, atOnce),
		store: &store{parent: cmp.Or(o.Dir, DefaultDir()), most: cmp.Or(o.MaxBytes, DefaultMaxBytes)}, packer: p,
		pause: sleep, tables: map[string]*table{},
	}, nil
}

// Columns implements tvmexport.Source.
func (s *Source) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	return s.source.Columns(ctx, table)
}

// Schemas implements tvmexport.Source: the columns of tables that are read. Before that,
// a source such as the export APIs, which tell no schema, does not know all of them.
func (s *Source) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	tables = slices.DeleteFunc(slices.Clone(tables), func(name string) bool { return !s.keeps(name) })
	if len(tables) == 0 {
		return map[string][]tvmexport.Column{}, context.Cause(ctx)
	}
	return s.source.Schemas(ctx, tables)
}

// keeps says whether the rows of a table are there.
func (s *Source) keeps(name string) bool {
	s.mu.Lock()
	t := s.tables[name]
	s.mu.Unlock()
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state != nil
}

// Begin implements tvmexport.Meter. Nothing is kept from one invocation to the next.
func (s *Source) Begin(others []tvmexport.QuotaUsage) {
	s.releaseAll()
	if m, ok := tvmexport.Ability[tvmexport.Meter](s.source); ok {
		m.Begin(others)
	}
}

// QuotaUsage implements tvmexport.Meter. It is zero where the source is no Meter.
func (s *Source) QuotaUsage() tvmexport.QuotaUsage {
	if m, ok := tvmexport.Ability[tvmexport.Meter](s.source); ok {
		return m.QuotaUsage()
	}
	return tvmexport.QuotaUsage{}
}

// Release implements tvmexport.Releaser.
func (s *Source) Release(name string) {
	s.mu.Lock()
	t := s.tables[name]
	delete(s.tables, name)
	s.mu.Unlock()
	if t != nil {
		t.release()
	}
}

// Close releases all tables.
func (s *Source) Close() error {
	s.releaseAll()
	return nil
}

func (s *Source) releaseAll() {
	s.mu.Lock()
	all := s.tables
	s.tables = map[string]*table{}
	s.mu.Unlock()
	for _, t := range all {
		t.release()
	}
}

// packer compresses and expands chunks. It is safe for concurrent use.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newPacker(atOnce int) (p packer, err error) {
	// A chunk is small, and is compressed by itself.
	p.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(atOnce),
		zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return p, err
	}
	p.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(mostChunk))
	return p, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
