package extent

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// zoneText is how much of a string bound is kept.
const zoneText = 64

// zone bounds the non-null values of one column of a block. What it bounds is
// known by the column's kind; the zero zone bounds no values at all.
type zone struct {
	some           bool // at least one non-null value
	low, high      int64
	lowest, uppest string // the upper one may be cut, see cut
	cut            bool   // the upper bound is every string that begins with uppest
}

func (z *zone) addNumber(n int64) {
	if !z.some {
		z.some, z.low, z.high = true, n, n
		return
	}
	z.low, z.high = min(z.low, n), max(z.high, n)
}

func (z *zone) addText(b []byte) {
	cut := len(b) > zoneText
	if cut {
		b = b[:zoneText]
	}
	if !z.some {
		s := string(b)
		z.some, z.lowest, z.uppest, z.cut = true, s, s, cut
		return
	}
	if string(b) < z.lowest {
		z.lowest = string(b)
	}
	if string(b) > z.uppest {
		z.uppest, z.cut = string(b), cut
	} else if cut && string(b) == z.uppest {
		z.cut = true
	}
}

// excludes says that no value of a column of this kind within z satisfies c,
// whose prefixes are a set of kql.NewPrefixes.
func (z *zone) excludes(kind value.Kind, c kql.Condition) bool {
	if c.Prefixes != nil {
		if c.Prefixes.Empty() {
			return false // rows without a value of the column have the empty string
		}
		return kind == value.String && (!z.some || !c.Prefixes.Overlap(z.lowest, z.uppest, z.cut))
	}
	bounded := func(v value.Value) bool { return v.Kind() == kind && !v.IsNull() }
	switch kind {
	case value.Int, value.Long, value.DateTime, value.TimeSpan:
		return bounded(c.From) && (!z.some || z.high < c.From.Int64()) ||
			bounded(c.To) && (!z.some || z.low > c.To.Int64())
	}
	return false
}
