package metrics

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tvmexport/tvmexport"
)

// tableCounts is what is counted of one table.
type tableCounts struct {
	name                                 string
	fetched, committed, bytes, fallbacks float64
	batches                              [4]float64 // by batchStates
	splits                               [4]float64 // by splitReasons
	runs                                 [2]float64 // by outcomes
	running                              float64
	duration                             histogram
	unread, missed                       tally[string] // by column, by reason
	rows                                 float64       // of the newest commit
	newest                               time.Time     // commit; zero: none is known
	tableRows                            float64
	hasRows                              bool // tableRows is known
	counted                              []tvmexport.RunID
}

// table is what is counted of a table. The caller holds the lock.
func (m *Metrics) table(name string) *tableCounts {
	i, ok := slices.BinarySearchFunc(m.tables, name, func(t *tableCounts, name string) int { return strings.Compare(t.name, name) })
	if !ok {
		m.tables = slices.Insert(m.tables, i, &tableCounts{name: name})
	}
	return m.tables[i]
}

// mostCounted is how many counted commits of a table are remembered.
const mostCounted = 8

// count says whether a commit is counted for the first time. Ids of later runs sort
// after those of earlier ones, and the commits of a table come in about their order:
// a commit before all that are remembered was counted.
func (t *tableCounts) count(id tvmexport.RunID) bool {
	i, known := slices.BinarySearch(t.counted, id)
	if known || i == 0 && len(t.counted) == mostCounted {
		return false
	}
	if len(t.counted) == mostCounted {
		t.counted = slices.Delete(t.counted, 0, 1)
		i--
	}
	t.counted = slices.Insert(t.counted, i, id)
	return true
}

// buckets are the upper bounds of durations, in seconds.
var buckets = [...]float64{5, 15, 60, 300, 900, 1800, 3600, 7200, 14400}

// histogram counts durations; those above all buckets are in no count but the last.
type histogram struct {
	counts [len(buckets) + 1]uint32
	sum    float64
}

func (h *histogram) observe(seconds float64) {
	i, _ := slices.BinarySearch(buckets[:], seconds)
	h.counts[i]++
	h.sum += seconds
}

func (h *histogram) add(o histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.sum += o.sum
}

// cumulative is the counts as Prometheus has them, and the number of all durations.
func (h histogram) cumulative() (by map[float64]uint64, all uint64) {
	by = make(map[float64]uint64, len(buckets))
	for i, bound := range buckets {
		all += uint64(h.counts[i])
		by[bound] = all
	}
	return by, all + uint64(h.counts[len(buckets)])
}

// tally is a few numbers by label, in the order in which they came.
type tally[K comparable] []entry[K]

type entry[K comparable] struct {
	label K
	n     float64
}

func (t *tally[K]) add(label K, n float64) {
	for i := range *t {
		if (*t)[i].label == label {
			(*t)[i].n += n
			return
		}
	}
	*t = append(*t, entry[K]{label, n})
}

// dto is the histogram in the form in which it is gathered.
func (h histogram) dto(since time.Time) *dto.Histogram {
	by, all := h.cumulative()
	out := &dto.Histogram{SampleCount: &all, SampleSum: &h.sum, CreatedTimestamp: timestamppb.New(since)}
	for _, bound := range buckets {
		n := by[bound]
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: &bound, CumulativeCount: &n})
	}
	return out
}
