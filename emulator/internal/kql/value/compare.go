package value

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Compare orders two values: -1, 0 or 1. Numbers of any kind compare by their
// exact value (NaN first), strings by their bytes, other scalars within their
// kind; a scalar in a dynamic counts as the scalar. Values of different kinds
// are ordered by kind. A null comes before everything else; callers that place
// nulls otherwise look at IsNull first.
func Compare(a, b Value) int {
	if a.nature().null || b.nature().null {
		return cmp.Compare(rank(a.nature().null), rank(b.nature().null))
	}
	ka, kb := a.scalarKind(), b.scalarKind()
	if ka == kb {
		switch ka {
		case Bool, Int, Long, DateTime, TimeSpan:
			return cmp.Compare(a.n, b.n)
		case Real:
			return cmp.Compare(a.Real(), b.Real())
		case String, GUID:
			return strings.Compare(a.s, b.s)
		case 0:
			return strings.Compare(string(a.AppendKey(nil)), string(b.AppendKey(nil)))
		}
	}
	if ka.IsNumeric() && kb.IsNumeric() {
		return compareNumbers(a, b)
	}
	return cmp.Compare(ka, kb)
}

// rank orders nulls before values.
func rank(null bool) int {
	if null {
		return 0
	}
	return 1
}

// Equal says whether two values are the same for grouping: nulls are equal to
// each other, NaN to NaN, a whole real to the long of the same value.
func Equal(a, b Value) bool {
	if a.nature().null || b.nature().null {
		return a.nature().null == b.nature().null
	}
	ka, kb := a.scalarKind(), b.scalarKind()
	if ka == kb && ka != 0 && ka != Real && ka != Decimal {
		return a.n == b.n && a.s == b.s
	}
	if ka.IsNumeric() != kb.IsNumeric() {
		return false
	}
	return Compare(a, b) == 0
}

func compareNumbers(a, b Value) int {
	ka, kb := a.scalarKind(), b.scalarKind()
	switch {
	case ka.IsInteger() && kb.IsInteger():
		return cmp.Compare(a.n, b.n)
	case ka.IsInteger() && kb == Real:
		return -compareReal(b.Real(), a.n)
	case ka == Real && kb.IsInteger():
		return compareReal(a.Real(), b.n)
	}
	x, okX := a.rat()
	y, okY := b.rat()
	if okX && okY {
		return x.Cmp(y)
	}
	return cmp.Compare(a.Real(), b.Real())
}

// Spread is a number that differs for many different values, for tables of a fixed size.
func (v Value) Spread() uint {
	if n := len(v.s); n > 0 {
		return uint(v.s[n-1]) + 31*uint(v.s[n/2]) + 7*uint(v.s[max(0, n-2)]) + uint(n)
	}
	return uint(uint64(v.n) * 0x9E3779B97F4A7C15 >> 32)
}

// compareReal compares exactly; a conversion of n could round.
func compareReal(f float64, n int64) int {
	switch {
	case math.IsNaN(f) || f < math.MinInt64:
		return -1
	case f >= math.MaxInt64: // 2^63, one above the largest long
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(int64(whole), n); c != 0 {
		return c
	}
	return cmp.Compare(f, whole)
}

// Tags of the parts of a key.
const (
	keyNull byte = iota
	keyBool
	keyWhole
	keyReal
	keyDecimal
	keyDateTime
	keyTimeSpan
	keyString
	keyGUID
	keyArray
	keyBag
)

// AppendKey appends bytes that are equal for two values exactly if Equal
// holds. Keys of several values may be joined: each tells where it ends.
func (v Value) AppendKey(b []byte) []byte {
	if v.nature().null {
		return append(b, keyNull)
	}
	switch v.scalarKind() {
	case String:
		return appendTextKey(b, keyString, v.s)
	case GUID:
		return appendTextKey(b, keyGUID, v.s)
	case Bool:
		return append(b, keyBool, byte(v.n))
	case Int, Long:
		return appendNumberKey(b, keyWhole, v.n)
	case DateTime:
		return appendNumberKey(b, keyDateTime, v.n)
	case TimeSpan:
		return appendNumberKey(b, keyTimeSpan, v.n)
	case Real:
		return appendRealKey(b, v.Real())
	case Decimal:
		return v.appendDecimalKey(b)
	}
	if elements, ok := v.Array(); ok {
		b = append(b, keyArray)
		b = binary.AppendUvarint(b, uint64(len(elements)))
		for _, e := range elements {
			b = e.AppendKey(b)
		}
		return b
	}
	slots, _ := v.Bag()
	slots = slices.Clone(slots)
	slices.SortStableFunc(slots, func(x, y Property) int { return strings.Compare(x.Name, y.Name) })
	slots = slices.CompactFunc(slots, func(x, y Property) bool { return x.Name == y.Name })
	b = append(b, keyBag)
	b = binary.AppendUvarint(b, uint64(len(slots)))
	for _, p := range slots {
		b = appendTextKey(b, keyString, p.Name)
		b = p.Value.AppendKey(b)
	}
	return b
}

func appendTextKey(b []byte, tag byte, s string) []byte {
	b = append(b, tag)
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendNumberKey(b []byte, tag byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, tag), uint64(n))
}

func appendRealKey(b []byte, f float64) []byte {
	if f >= math.MinInt64 && f < math.MaxInt64 && f == math.Trunc(f) {
		return appendNumberKey(b, keyWhole, int64(f))
	}
	if math.IsNaN(f) {
		f = math.NaN()
	}
	return appendNumberKey(b, keyReal, int64(math.Float64bits(f)))
}

// appendDecimalKey uses the key of the long or real of the same value, if
// there is one.
func (v Value) appendDecimalKey(b []byte) []byte {
	r, ok := v.rat()
	if !ok {
		return appendTextKey(b, keyDecimal, v.s)
	}
	if r.IsInt() && r.Num().IsInt64() {
		return appendNumberKey(b, keyWhole, r.Num().Int64())
	}
	if f, exact := r.Float64(); exact {
		return appendRealKey(b, f)
	}
	return appendTextKey(b, keyDecimal, r.String())
}
