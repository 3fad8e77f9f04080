package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// addUnit adds p to the slice if one call can ask for both and the rows can be
// attributed: parts by the hash of rows go only with similar parts.
func addUnit(s *tvmexport.Slice, p planUnit) bool {
	last := s.Partitions[len(s.Partitions)-1]
	_, hashed := last.RowHash()
	if _, too := p.Partition.RowHash(); too != hashed || hashed && last.Base() != p.Partition.Base() {
		return false
	}
	switch {
	case !s.Unit.IsZero(), !p.Unit.IsZero(), s.Late != p.Late, hashed && len(s.Partitions) >= mostPartitions:
		return false
	case s.Window == p.Window:
		s.Partitions = append(s.Partitions, p.Partition)
	case !s.Window.Null && !p.Window.Null && s.Window.To.Equal(p.Window.From) &&
		len(s.Partitions) == 1 && last == p.Partition:
		s.Window.To = p.Window.To
	default:
		return false
	}
	s.Rows += p.Rows
	return true
}

// mostPartitions bounds the partitions by the hash of rows that one query names, and
// those of one count: its body may have 1 MB.
const mostPartitions = 5000

// sliceHalves divides a slice that was too large without counting again: its
// partitions in two, or its window in two. ok is false where it has neither,
// and the unit must be counted more finely.
func sliceHalves(s tvmexport.Slice) (a, b tvmexport.Slice, ok bool) {
	a, b = s, s
	a.Rows, b.Rows = s.Rows/2, s.Rows-s.Rows/2
	if n := len(s.Partitions); n > 1 {
		a.Partitions, b.Partitions = s.Partitions[:n/2:n/2], s.Partitions[n/2:]
		return a, b, true
	}
	if s.Window.Bounded() && s.Window.To.Sub(s.Window.From) > narrow {
		a.Window, b.Window, ok = s.Window.Halves()
		return a, b, ok
	}
	return s, s, false
}

// narrow is the width below which a window is no longer divided in time but by
// key: what is that dense is a burst, often of equal watermarks.
const narrow = 1_000_000_000 // one second

// refine counts a unit that one call cannot carry more finely: in steps of
// time while it is wider than a second, then by the digits of the key, and
// where one key holds all its rows by the hash of the whole row.
func (f *fetcher) refine(ctx context.Context, p planUnit) ([]planUnit, error) {
	q := tvmexport.CountQuery{
		Table: f.Run.Table, Window: p.Window, Within: p.Partition,
		Depth: max(1, depthFor(p.Rows, f.Limits.Rows)),
	}
	if width := widthOf(p.Window); width > narrow {
		q.Bin = max(time.Second, (width / 60).Truncate(time.Second))
	}
	q.Fingerprints = q.Bin == 0 && f.fingerprints != nil
	row, hashed := p.Partition.RowHash()
	if q.Bin == 0 && (p.OneKey || f.oneKey[p.Partition] || p.Partition.Depth() >= maxKeyDigits || p.Partition.Rest()) && !hashed {
		q.Within = p.Partition.ByRowHash()
	}
	if len(row) >= maxRowDigits {
		return nil, &tvmexport.Error{
			Op: "plan", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
			Err:  fmt.Errorf("more than %d identical rows (partition %s): no query can distinguish them", f.Limits.Rows, p.Partition),
			Hint: "check the table in the portal for an error in the data",
		}
	}
	counts, err := f.count(ctx, q)
	if err != nil {
		return nil, err
	}
	var units []planUnit
	if q.Bin > 0 {
		units = fillBins(counts.Parts, p.Window, p.Partition, q.Bin)
	} else {
		units = unitsOf(counts.Parts, p.Window)
		for _, p := range units {
			if p.OneKey {
				f.oneKey[p.Partition] = true
			}
		}
		units = withEmptyPartitions(units, q.Within, p.Window, q.Depth)
	}
	for i := range units {
		units[i].Late = p.Late
	}
	if q.Fingerprints {
		f.fingerprints.add(units)
	}
	return units, nil
}

const (
	maxKeyDigits = 64 // of a SHA-256; a DeviceId has 40
	maxRowDigits = 8
)

// split puts a slice that was too large back in smaller parts.
func (f *fetcher) split(ctx context.Context, s tvmexport.Slice, why error) error {
	announceSplitting(f.hooks, f.Run, s, why)
	if err := f.checkSplitting(why); err != nil {
		return err
	}
	if a, b, ok := sliceHalves(s); ok {
		f.ready = append(f.ready, a, b)
		return nil
	}
	finer, err := f.refine(ctx, planUnit{Window: s.Window, Partition: s.Partitions[0], Late: s.Late, Rows: s.Rows})
	if err != nil {
		return err
	}
	var total int64
	for _, p := range finer {
		total += p.Rows
	}
	// Packed together they were too large: at most half of them go in one call.
	cut := packSlices(s.Table, listOf(finer), max(total/2, 1), 0)
	f.ready = append(f.ready, cut.Slices...)
	for _, p := range cut.Large {
		f.ready = append(f.ready, p.Slice(s.Table))
	}
	return nil
}

// Fill is how much of each limit a slice is planned to use. The rest absorbs
// what a living table gains between the count and the call, and rows that are
// larger than the average.
const (
	rowFill  = 0.96
	byteFill = 0.92
)

// rowsPerCall is how many rows of rowBytes JSON bytes each one call can carry.
func rowsPerCall(l tvmexport.Limits, rowBytes float64) int64 {
	rows := float64(l.Rows) * rowFill
	if rowBytes > 0 {
		rows = min(rows, float64(l.Bytes)*byteFill/rowBytes)
	}
	return max(int64(rows), 1)
}

// maxExtraRefusals is how many answers may be refused as too large beyond twice those that
// were accepted. Where smaller parts help, a slice that is divided makes one more
// answer than it had refusals.
const maxExtraRefusals = 256

// Refusals that follow each other are limited too, because each may take
// minutes: maxFirstRefusals before the first answer, where the smallest slice is
// asked for first and each refusal at least halves it; later as many that take
// longer than maxRefusedTime together.
const (
	maxFirstRefusals = 32
	maxRefusedTime   = 4 * time.Hour
)

// checkSplitting says that smaller parts do not help: a service that refuses them as it
// refused the larger ones would be asked without an end. nil while they may help.
func (f *fetcher) checkSplitting(why error) error {
	f.refusals++
	f.refusedInRow++
	limit := maxExtraRefusals + 2*f.progress.Slices
	inRow := f.refusedInRow > maxFirstRefusals && (f.size == 0 || f.now().Sub(f.lastAnswer) > maxRefusedTime)
	if f.refusals <= limit && !inRow {
		return nil
	}
	return &tvmexport.Error{
		Op: "fetch", Table: f.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
		Err:  fmt.Errorf("%d answers were refused as too large and %d accepted, so smaller partitions do not help: %w", f.refusals, f.progress.Slices, why),
		Hint: "run again later; if this persists, check the service's answer to a query of a few rows",
	}
}
