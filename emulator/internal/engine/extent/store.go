package extent

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

// DefaultMemoryLimit is how many bytes a Store keeps in memory by default.
const DefaultMemoryLimit = 64 << 20

// volumeSize is the size at which a file is closed for writing.
const volumeSize = 256 << 20

// Store keeps blocks: in memory, and those that come when the memory is full
// in files. Blocks that nothing refers to any more give their memory back, and
// a file without such blocks is removed.
type Store struct {
	in    disk.Folder
	limit int64
	held  atomic.Int64 // bytes in memory

	mu      sync.Mutex
	closed  bool
	volumes map[*volume]struct{}
	current *volume
}

// volume is one file of blocks. Its fields belong to Store.mu.
type volume struct {
	file   disk.File
	size   int64
	live   int // blocks
	sealed bool
}

// span is a place in a block's bytes.
type span struct{ at, n int }

// block is some rows of a segment.
type block struct {
	rows    int
	columns []span
	zones   []zone
	data    []byte  // all columns, nil if they are in a file
	volume  *volume // and
	at      int64   // where in it
}

// NewStore keeps up to limit bytes in memory, 0 being DefaultMemoryLimit, and
// the rest in the folder; where that has no Dir all is kept in memory.
func NewStore(in disk.Folder, limit int64) *Store {
	if limit <= 0 {
		limit = DefaultMemoryLimit
	}
	return &Store{in: in, limit: limit, volumes: map[*volume]struct{}{}}
}

// keep stores a copy of data, the bytes of b.
func (s *Store) keep(b *block, data []byte) error {
	n := int64(len(data))
	if s.in.Dir == "" || s.held.Load()+n <= s.limit {
		s.held.Add(n)
		b.data = append(make([]byte, 0, n), data...)
		runtime.AddCleanup(b, func(n int64) { s.held.Add(-n) }, n)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.writable()
	if err != nil {
		return err
	}
	if _, err := v.file.WriteAt(data, v.size); err != nil {
		return err
	}
	b.volume, b.at = v, v.size
	v.size += n
	v.live++
	runtime.AddCleanup(b, s.release, v)
	if v.size >= volumeSize {
		v.sealed = true
		s.current = nil
	}
	return nil
}

func (s *Store) writable() (*volume, error) {
	if s.closed {
		return nil, errors.New("store extent data: the store is closed")
	}
	if s.current == nil {
		const what = "store extent data"
		if err := s.in.Ensure(what); err != nil {
			return nil, err
		}
		f, err := s.in.New(what, "extents-*.bin")
		if err != nil {
			return nil, err
		}
		s.current = &volume{file: f}
		s.volumes[s.current] = struct{}{}
	}
	return s.current, nil
}

// release counts a block of v out.
func (s *Store) release(v *volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.live--
	if _, there := s.volumes[v]; there && v.sealed && v.live == 0 {
		delete(s.volumes, v)
		_ = v.remove() // the file is of no use to anybody, and nobody waits for its end
	}
}

func (v *volume) remove() error {
	return errors.Join(v.file.Close(), os.Remove(v.file.Name()))
}

// Close removes the files. Blocks in them can no longer be read.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.current = nil
	var errs []error
	for v := range s.volumes {
		errs = append(errs, v.remove())
	}
	clear(s.volumes)
	return errors.Join(errs...)
}

// read gives the bytes of column c. Those of a file are read into buf.
func (b *block) read(c int, buf []byte) (data, scratch []byte, err error) {
	p := b.columns[c]
	if b.volume == nil {
		return b.data[p.at : p.at+p.n], buf, nil
	}
	buf = grow(buf, p.n)
	if _, err := b.volume.file.ReadAt(buf, b.at+int64(p.at)); err != nil {
		return nil, buf, fmt.Errorf("read extent data: %w", err)
	}
	return buf, buf, nil
}
