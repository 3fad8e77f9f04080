package tvmexport

import (
	"fmt"
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
