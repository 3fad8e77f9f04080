package hunting

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// nullableTime is a datetime as the fronts write it; null, and {} on Graph,
// is the zero time.
type nullableTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *nullableTime) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '"' {
		if string(b) == "null" || string(b) == "{}" {
			return nil
		}
		return fmt.Errorf("%.40q is no datetime", b)
	}
	return t.Time.UnmarshalJSON(b)
}

// readParts turns the answer to a partsQuery into partitions. Parts whose keys
// leave the hex digits fall together in the rest of what is hex.
func readParts(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	depth := q.Within.Depth() + q.Depth
	row, hashed := q.Within.RowHash()
	at := map[tvmexport.Partition]int{}
	var out []tvmexport.Count
	low := map[tvmexport.Partition]string{}
	for _, r := range rows {
		p := tvmexport.Of(r.Part, depth)
		if hashed {
			if len(r.Part) != len(row)+q.Depth {
				return nil, fmt.Errorf("a part of the count is %q, not %d digits of a hash", r.Part, len(row)+q.Depth)
			}
			p = q.Within.Base() + "#" + tvmexport.Partition(r.Part)
		}
		i, ok := at[p]
		if !ok {
			at[p], low[p] = len(out), r.Low
			out = append(out, tvmexport.Count{Partition: p, Rows: r.Rows, OneKey: r.Low == r.High})
			continue
		}
		out[i].Rows += r.Rows
		out[i].OneKey = out[i].OneKey && r.Low == r.High && r.Low == low[p]
	}
	return out, nil
}

func readWhole(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	var n int64
	for _, r := range rows {
		n += r.Rows
	}
	return []tvmexport.Count{{Partition: q.Within, Rows: n}}, nil
}

func readBins(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	out := make([]tvmexport.Count, 0, len(rows))
	for _, r := range rows {
		out = append(out, tvmexport.Count{Partition: q.Within, Start: r.Start.Time, Rows: r.Rows})
	}
	return out, nil
}
