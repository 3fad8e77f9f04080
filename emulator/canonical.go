package emulator

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// canonical writes rows in a form in which the same content is the same bytes, for
// all services:
//
//   - a JSON object with its members sorted by the UTF-8 bytes of their names, at
//     every depth;
//   - members that are null are left out, at every depth, and so are members whose
//     name contains "@odata"; an empty bag and an empty array stay, and so does a
//     null in an array;
//   - a datetime is UTC with seven digits, and so is a text that is a full ISO 8601
//     date and time, since Kusto types it when a record is ingested as a dynamic;
//   - a number is in its shortest form, the integers to 2^63 with all their digits;
//   - a bool is true or false, by the column's type.
//
// A result of the one dynamic column Records stands for the rows in it.
type canonical struct {
	columns []canonicalColumn
	records bool // the row is the bag in the one column
}

type canonicalColumn struct {
	index int
	name  []byte // `"Name":`
}

func newCanonical(columns []value.Column) *canonical {
	c := &canonical{records: len(columns) == 1 && columns[0].Name == "Records" && columns[0].Kind == value.Dynamic}
	order := make([]int, 0, len(columns))
	for i, column := range columns {
		if !strings.Contains(column.Name, "@odata") {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(columns[a].Name, columns[b].Name) })
	for _, i := range order {
		c.columns = append(c.columns, canonicalColumn{i, append(value.NewString(columns[i].Name).AppendJSON(nil), ':')})
	}
	return c
}

// appendRow appends the canonical form of row.
func (c *canonical) appendRow(b []byte, row []value.Value) []byte {
	if c.records {
		if v := typed(row[0]); v.IsBag() {
			return appendCanonical(b, v)
		}
	}
	b = append(b, '{')
	empty := true
	for _, column := range c.columns {
		v := row[column.index]
		if v.IsNull() {
			continue
		}
		if !empty {
			b = append(b, ',')
		}
		empty = false
		b = append(b, column.name...)
		if v.Kind() == value.Dynamic || v.Kind() == value.String && looksLikeTime(v.Text()) {
			v = typed(v)
		}
		b = appendCanonical(b, v)
	}
	return append(b, '}')
}

// looksLikeTime says whether s may be a full date and time: yyyy-MM-ddTHH:mm:ss.
func looksLikeTime(s string) bool {
	return len(s) >= 19 && s[4] == '-' && s[10] == 'T' && s[0] >= '0' && s[0] <= '9'
}

// typed is a text or a dynamic as a dynamic is after ingestion, with its date-time
// strings typed.
func typed(v value.Value) value.Value {
	if v.IsNull() || v.IsTyped() && !v.IsComposed() {
		return v
	}
	return value.DynamicJSONTyped(string(v.AppendJSON(nil)))
}

// appendCanonical appends a scalar or a typed dynamic.
func appendCanonical(b []byte, v value.Value) []byte {
	if v.IsNull() {
		return append(b, "null"...)
	}
	if scalar, ok := v.Scalar(); ok {
		v = scalar
	}
	switch v.Kind() {
	case value.Real:
		return appendNumber(b, v.Real())
	case value.Decimal:
		return append(b, shortDecimal(v.Text())...)
	case value.Dynamic:
		if elements, ok := v.Array(); ok {
			return appendCanonicalArray(b, elements)
		}
		slots, _ := v.Bag()
		return appendCanonicalBag(b, slots)
	}
	return v.AppendJSON(b)
}

func appendCanonicalArray(b []byte, elements []value.Value) []byte {
	b = append(b, '[')
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCanonical(b, e)
	}
	return append(b, ']')
}

func appendCanonicalBag(b []byte, slots []value.Property) []byte {
	byName := func(a, b value.Property) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(slots, byName) {
		slots = slices.Clone(slots) // they belong to the value
		slices.SortStableFunc(slots, byName)
	}
	b = append(b, '{')
	empty := true
	for i, p := range slots {
		repeated := i > 0 && slots[i-1].Name == p.Name // the first counts
		if repeated || p.Value.IsNull() || strings.Contains(p.Name, "@odata") {
			continue
		}
		if !empty {
			b = append(b, ',')
		}
		empty = false
		b = append(value.NewString(p.Name).AppendJSON(b), ':')
		b = appendCanonical(b, p.Value)
	}
	return append(b, '}')
}

// appendNumber appends f in the form of ECMAScript, which RFC 8785 chose for
// canonical JSON: the shortest digits that give f again. What JSON has no number
// for is a string, as in Kusto's JSON.
func appendNumber(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	case f == 0: // also negative zero
		return append(b, '0')
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go writes at least two digits of the exponent.
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// shortDecimal is the text of a decimal without zeros that say nothing.
func shortDecimal(text string) string {
	if strings.Contains(text, ".") && !strings.ContainsAny(text, "eE") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// RowHash is the hash of a multiset of rows: the SHA-256 of the rows' own SHA-256
// hashes, 32 bytes each, sorted bytewise and joined. The order of rows does not
// matter; a duplicate row changes the hash. It takes 32 bytes of memory a row. The zero
// RowHash is ready to use.
type RowHash struct {
	rows int64
	// By first byte: buckets grow, and are sorted, one at a time.
	buckets [256][][sha256.Size]byte
}

// Add counts a canonical row in.
func (h *RowHash) Add(row []byte) {
	sum := sha256.Sum256(row)
	h.buckets[sum[0]] = append(h.buckets[sum[0]], sum)
	h.rows++
}

// Rows is how many rows were added.
func (h *RowHash) Rows() int64 { return h.rows }

// Sum is the hash in hex.
func (h *RowHash) Sum() string {
	total := sha256.New()
	for i := range h.buckets {
		bucket := h.buckets[i]
		slices.SortFunc(bucket, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
		for j := range bucket {
			total.Write(bucket[j][:])
		}
	}
	return hex.EncodeToString(total.Sum(nil))
}
