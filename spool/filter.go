package spool

import (
	"context"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// set is a set of partitions.
type set struct {
	exact  map[string]bool // prefixes
	rests  map[string]bool // prefixes of rests; true: only keys that end with it
	hashed []tvmexport.Partition
	depths []int // lengths of the prefixes
	all    []tvmexport.Partition
}

// newSet makes a set. Of the rests in ending only keys are meant that end with their
// digits.
func newSet(list, ending []tvmexport.Partition) set {
	s := set{exact: make(map[string]bool, len(list)), rests: map[string]bool{}, all: list}
	for _, p := range list {
		switch _, hashed := p.RowHash(); {
		case hashed:
			s.hashed = append(s.hashed, p)
			continue
		case p.Rest():
			s.rests[p.Key()] = slices.Contains(ending, p)
		default:
			s.exact[p.Key()] = true
		}
		if !slices.Contains(s.depths, p.Depth()) {
			s.depths = append(s.depths, p.Depth())
		}
	}
	return s
}

// has says whether a row is in one of the partitions.
func (s *set) has(r *record) bool {
	for _, d := range s.depths {
		if len(r.key) < d {
			continue
		}
		if s.exact[string(r.key[:d])] {
			return true
		}
		ends, rest := s.rests[string(r.key[:d])]
		if rest && (len(r.key) == d || !ends && digit(r.key[d]) < 0) {
			return true
		}
	}
	if len(s.hashed) == 0 {
		return false
	}
	hash, key := r.hash(), string(r.key)
	return slices.ContainsFunc(s.hashed, func(p tvmexport.Partition) bool {
		prefix, _ := p.RowHash()
		return hash[:len(prefix)] == prefix && p.Base().Contains(key)
	})
}

// buckets are those in which rows of the set can be.
func (s *set) buckets(byRow bool) (out [buckets]bool) {
	for _, p := range s.all {
		prefix, rest := p.Key(), p.Rest()
		if byRow {
			prefix, _ = p.RowHash()
			rest = false
		}
		for b := range buckets {
			switch {
			case b == restBucket:
				out[b] = out[b] || len(prefix) < 2
			case rest && len(prefix) < 2:
			default:
				digits := digitsOf(b)[2:]
				n := min(len(prefix), 2)
				out[b] = out[b] || digits[:n] == prefix[:n]
			}
		}
	}
	return out
}

// filter is which rows a question is about.
type filter struct {
	window tvmexport.Window
	nulls  bool // rows without a watermark too
	set    set
	within set

	hasher *fingerprint.Hasher
}

func (f *filter) has(r *record, timed bool) bool {
	if timed && !f.inWindow(r.moment) {
		return false
	}
	return f.set.has(r) && (len(f.within.all) == 0 || f.within.has(r))
}

func (f *filter) inWindow(moment int64) bool {
	w := f.window
	switch {
	case w == tvmexport.Window{}:
		return true
	case w.Null:
		return moment == noMoment
	case moment == noMoment:
		return f.nulls
	}
	return (w.From.IsZero() || moment > ticksOf(w.From)) && (w.To.IsZero() || moment <= ticksOf(w.To))
}

// rehash makes the digest of a row over other columns than those that were hashed when
// it was read.
func (f *filter) rehash(columns []tvmexport.Column, r *record) error {
	if f.hasher == nil {
		f.hasher = fingerprint.NewHasher(columns, "")
	}
	d, err := f.hasher.Row(r.row)
	copy(r.digest[:], d[:])
	return err
}

// scan calls visit for each row that a filter lets pass. A chunk at a time is in
// memory.
func (s *Source) scan(ctx context.Context, st *state, want filter, visit func(*record) error) error {
	in := want.set.buckets(st.byRow)
	var packed, room []byte
	for b, list := range st.chunks {
		if !in[b] {
			continue
		}
		for _, c := range list {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			packed = slices.Grow(packed[:0], int(c.packed))[:c.packed]
			if err := st.file.read(packed, c.at); err != nil {
				return err
			}
			var err error
			room, err = s.packer.unpack(packed, c, st.timed, room, func(r *record) error {
				if !want.has(r, st.timed) {
					return nil
				}
				return visit(r)
			})
			if err == errDamaged {
				err = st.file.store.failed(st.table.Name, err)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
