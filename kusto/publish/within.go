package publish

import (
	"errors"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// countable is an error if the parts of a query cannot be determined in published
// rows.
func countable(q tvmexport.CountQuery) error {
	_, hashed := q.Within.RowHash()
	for _, p := range q.Only {
		_, too := p.RowHash()
		hashed = hashed || too
	}
	switch {
	case hashed:
		return conn.UsageError("count published rows", q.Table.Name, errors.New("published rows are not counted by the hash of rows"))
	case q.Bin > 0 && (q.Within != tvmexport.AllPartitions || len(q.Only) > 0):
		return conn.UsageError("count published rows", q.Table.Name, errors.New("published rows are counted by the watermark or by partition, not by both"))
	}
	return nil
}

// digitsOf is how much of a key has to be known to tell the parts of a
// question: a partition of what does not go on with a hex digit takes one more.
func digitsOf(q tvmexport.CountQuery) int {
	digits := q.Within.Depth() + q.Depth
	for _, p := range append(slices.Clone(q.Only), q.Within) {
		need := p.Depth()
		if p.Rest() {
			need++
		}
		digits = max(digits, need)
	}
	return digits
}

// asked keeps the counts of keys that a question is about.
func asked(parts []tvmexport.Count, q tvmexport.CountQuery) []tvmexport.Count {
	return slices.DeleteFunc(parts, func(c tvmexport.Count) bool {
		key := string(c.Partition)
		return !q.Within.Contains(key) ||
			len(q.Only) > 0 && !slices.ContainsFunc(q.Only, func(p tvmexport.Partition) bool { return p.Contains(key) })
	})
}
