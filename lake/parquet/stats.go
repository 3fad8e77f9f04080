package parquet

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tvmexport/tvmexport"
)

// Summary describes a file that was written.
type Summary struct {
	Rows   int64
	Bytes  int64
	SHA256 string // of the file, as hex digits
	Stats  string // JSON, as Delta's log has it: numRecords, minValues, maxValues, nullCount
}

// stats is the JSON of Summary.Stats.
type stats struct {
	Rows  int64            `json:"numRecords"`
	Min   map[string]any   `json:"minValues"`
	Max   map[string]any   `json:"maxValues"`
	Nulls map[string]int64 `json:"nullCount"`
}

// mostColumns is the number of columns that have minima and maxima, as in other
// writers of Delta (delta.dataSkippingNumIndexedCols).
const mostColumns = 32

// prefix is the number of characters of a minimum or a maximum.
const prefix = 32

// statistics are those of a file, from its footer.
func statistics(columns []tvmexport.Column, rows int64, m *format.FileMetaData) (string, error) {
	s := stats{Rows: rows, Min: map[string]any{}, Max: map[string]any{}, Nulls: map[string]int64{}}
	for i, c := range columns {
		l := layouts[c.Type]
		var low, high []byte // of all row groups
		bounded := c.Type != "dynamic" && i < mostColumns
		var nulls int64
		for _, g := range m.RowGroups {
			chunk := &g.Columns[i].MetaData
			st := chunk.Statistics
			nulls += st.NullCount
			if st.NullCount == chunk.NumValues {
				continue
			}
			if st.MinValue == nil || st.MaxValue == nil {
				bounded = false
				continue
			}
			if low == nil || before(l, st.MinValue, low) {
				low = st.MinValue
			}
			if high == nil || before(l, high, st.MaxValue) {
				high = st.MaxValue
			}
		}
		s.Nulls[c.Name] = nulls
		if !bounded || low == nil {
			continue
		}
		least, ok := bound(l, low, false)
		most, also := bound(l, high, true)
		if ok && also {
			s.Min[c.Name], s.Max[c.Name] = least, most
		}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// before says whether a stored value is less than another one.
func before(l layout, a, b []byte) bool {
	switch l {
	case intLayout:
		return int32(number(a)) < int32(number(b))
	case longLayout, timeLayout:
		return int64(number(a)) < int64(number(b))
	case realLayout:
		return math.Float64frombits(number(a)) < math.Float64frombits(number(b))
	default:
		return string(a) < string(b)
	}
}

// number is a stored number, little-endian.
func number(b []byte) uint64 {
	switch len(b) {
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bound is a minimum or a maximum in JSON. Texts and times are shortened: a
// minimum downwards, a maximum upwards.
func bound(l layout, b []byte, up bool) (any, bool) {
	switch l {
	case intLayout:
		return int32(number(b)), true
	case longLayout:
		return int64(number(b)), true
	case realLayout:
		f := math.Float64frombits(number(b))
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	case timeLayout:
		t := time.UnixMicro(int64(number(b))).UTC()
		if up {
			t = t.Add(time.Millisecond - time.Microsecond)
		}
		return t.Format("2006-01-02T15:04:05.000Z"), t.Year() > 0 && t.Year() < 10000
	case textLayout:
		return shorten(b, up)
	}
	return nil, false // bools
}

// shorten is a text of at most prefix characters that is not greater than b, or
// with up not less. There is none if no character can be added.
func shorten(b []byte, up bool) (string, bool) {
	if !utf8.Valid(b) {
		return "", false
	}
	s := string(b)
	n := 0
	for i := range s {
		if n == prefix {
			if !up {
				return s[:i], true
			}
			// A character that is greater than the one which is cut off.
			if next, _ := utf8.DecodeRuneInString(s[i:]); next < 0xFFFD {
				return s[:i] + "\uFFFD", true
			} else if next < utf8.MaxRune {
				return s[:i] + string(utf8.MaxRune), true
			}
			return "", false
		}
		n++
	}
	return s, true
}
