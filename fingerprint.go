package tvmexport

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fingerprint stands for the content of a set of rows, in any order: the sums
// of truncated SHA-256 hashes of the rows. Equal fingerprints and equal counts
// mean equal rows, also where rows are repeated; the fingerprint of a union is
// the sum. The zero value is not known and equals nothing; Empty is that of no rows.
type Fingerprint struct {
	Known bool
	Sums  [3]int64 // of 40 bits each, so that 8 million rows cannot overflow
}

// EmptyFingerprint is the fingerprint of no rows.
var EmptyFingerprint = Fingerprint{Known: true}

// Add is the fingerprint of the rows of both.
func (f Fingerprint) Add(g Fingerprint) Fingerprint {
	if !f.Known || !g.Known {
		return Fingerprint{}
	}
	for i := range f.Sums {
		f.Sums[i] += g.Sums[i]
	}
	return f
}

// Same says whether both are known and stand for the same rows.
func (f Fingerprint) Same(g Fingerprint) bool { return f.Known && f == g }

// String is the sums in hex, joined by dots; "" if f is not known.
func (f Fingerprint) String() string {
	if !f.Known {
		return ""
	}
	return fmt.Sprintf("%x.%x.%x", f.Sums[0], f.Sums[1], f.Sums[2])
}

// MarshalText is String.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what String writes.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	*f = Fingerprint{}
	if len(text) == 0 {
		return nil
	}
	parts := strings.Split(string(text), ".")
	if len(parts) != len(f.Sums) {
		return fmt.Errorf("fingerprint %.80q does not have %d parts", text, len(f.Sums))
	}
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 16, 64)
		if err != nil {
			return fmt.Errorf("fingerprint %.80q: %w", text, err)
		}
		f.Sums[i] = n
	}
	f.Known = true
	return nil
}

// Fingerprints are those of a list of partitions, in their order. A large table has many
// partitions without rows, whose fingerprint takes no memory here. The zero value says
// that none is known.
type Fingerprints struct {
	count int
	some  []placedFingerprint // all but EmptyFingerprint, by place
}

type placedFingerprint struct {
	at int
	Fingerprint
}

// NewFingerprints makes a list of fingerprints.
func NewFingerprints(list ...Fingerprint) Fingerprints {
	var f Fingerprints
	for _, p := range list {
		f.Append(p)
	}
	f.some = slices.Clip(f.some)
	return f
}

// Append adds the fingerprint of the next partition.
func (f *Fingerprints) Append(p Fingerprint) {
	if p != EmptyFingerprint {
		f.some = append(f.some, placedFingerprint{f.count, p})
	}
	f.count++
}

// Len is the number of partitions.
func (f Fingerprints) Len() int { return f.count }

// IsZero says whether none is known.
func (f Fingerprints) IsZero() bool { return f.count == 0 }

// At is the fingerprint of the partition at place i; not known beyond the end.
func (f Fingerprints) At(i int) Fingerprint {
	if i >= f.count {
		return Fingerprint{}
	}
	n, found := slices.BinarySearchFunc(f.some, i, func(p placedFingerprint, i int) int { return p.at - i })
	if !found {
		return EmptyFingerprint
	}
	return f.some[n].Fingerprint
}

// Sum is the fingerprint of the rows of all partitions.
func (f Fingerprints) Sum() Fingerprint {
	sum := EmptyFingerprint
	for _, p := range f.some {
		sum = sum.Add(p.Fingerprint)
	}
	return sum
}

// Equal says whether both lists are the same.
func (f Fingerprints) Equal(g Fingerprints) bool {
	return f.count == g.count && slices.Equal(f.some, g.some)
}

// List is all of them; nil if none is known.
func (f Fingerprints) List() []Fingerprint {
	if f.IsZero() {
		return nil
	}
	list := make([]Fingerprint, f.count)
	for i := range list {
		list[i] = EmptyFingerprint
	}
	for _, p := range f.some {
		list[p.at] = p.Fingerprint
	}
	return list
}
