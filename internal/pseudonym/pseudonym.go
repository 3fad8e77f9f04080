// Package pseudonym replaces values by keyed hashes: HMAC-SHA256 as lower-case
// hex. Equal values have equal pseudonyms, in every column and table, so that
// joins hold; without the key nobody can find a value by trying.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Size is the length of a pseudonym.
const Size = 2 * sha256.Size

// Maker makes pseudonyms under one key. It is not safe for concurrent use.
type Maker struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// New is a maker for the key, which must not be empty.
func New(key []byte) *Maker { return &Maker{mac: hmac.New(sha256.New, key)} }

// Append adds the pseudonym of value to dst.
func (m *Maker) Append(dst, value []byte) []byte {
	m.mac.Reset()
	m.mac.Write(value) // never fails
	return hex.AppendEncode(dst, m.mac.Sum(m.sum[:0]))
}

// Mark identifies a key by 12 hex digits, which reveal nothing else about a
// key that cannot be found by trying.
func Mark(key []byte) string {
	return string(New(key).Append(nil, []byte("tvmexport: which key is this?"))[:12])
}
