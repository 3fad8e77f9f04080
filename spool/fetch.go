package spool

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// Fetch implements tvmexport.CountingSource. An answer is complete: it is read from rows
// that were counted when they were written.
func (s *Source) Fetch(ctx context.Context, q tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	began := time.Now()
	u, err := s.use(ctx, question{q.Table, q.Window})
	out := tvmexport.Answer{Calls: u.calls}
	if err != nil {
		return out, err
	}
	defer u.done()
	out.Columns = u.columns
	if q.Fingerprint {
		out.Fingerprint = tvmexport.EmptyFingerprint
	}
	want := filter{window: q.Window, set: newSet(q.Partitions, q.Ending)}
	columns := q.Table.FingerprintColumns()
	other := q.Fingerprint && !slices.Equal(u.prints, columns)
	odd := unreadOf(q.Table.Columns)
	err = s.scan(ctx, u.state, want, func(r *record) error {
		if other {
			if err := want.rehash(columns, r); err != nil {
				return err
			}
		}
		if err := w.WriteRow(r.key, r.row); err != nil {
			return err
		}
		out.Rows++
		out.Bytes += int64(len(r.row))
		if q.Fingerprint {
			out.Fingerprint = out.Fingerprint.Add(r.fingerprint())
		}
		if r.odd {
			return odd.take(r.row, out.Rows)
		}
		return nil
	})
	out.Counted, out.Took, out.Unread, out.Nulled = out.Rows, time.Since(began), odd.list, tvmexport.UnreadValues(odd.list)
	return out, err
}

// unread counts, by column, values that do not fit their type.
type unread struct {
	columns []tvmexport.Column
	hasher  *fingerprint.Hasher
	list    []tvmexport.Unread
}

func unreadOf(columns []tvmexport.Column) *unread { return &unread{columns: columns} }

// take counts those of a row that has some.
func (u *unread) take(row []byte, line int64) error {
	if u.hasher == nil {
		u.hasher = fingerprint.NewHasher(u.columns, "")
	}
	if _, err := u.hasher.Row(row); err != nil {
		return err
	}
	for _, c := range u.hasher.Odd() {
		i := slices.IndexFunc(u.list, func(k tvmexport.Unread) bool { return k.Column == c.Name })
		if i < 0 {
			u.list = append(u.list, tvmexport.Unread{Column: c.Name, Type: c.Type, Line: line})
			i = len(u.list) - 1
		}
		u.list[i].Values++
	}
	return nil
}
