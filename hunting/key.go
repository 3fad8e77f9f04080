package hunting

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// keyOf makes the value of a table's key out of a row, in the form that
// partitions are prefixes of, and exactly as the query does.
type keyOf struct {
	hashed bool
	parts  [][]byte // JSON text of the columns that make it
	text   []byte
	digest []byte
}

func keyOfSlice(s tvmexport.Slice, schema *schema) keyOf {
	var k keyOf
	columns := s.Table.Key.Hashed
	switch {
	case s.Table.Key.Column != "":
		columns = []string{s.Table.Key.Column}
	case len(columns) > 0:
		k.hashed = true
		k.digest = make([]byte, hex.EncodedLen(sha256.Size))
	case len(s.Partitions) > 0:
		// The key is the hash of the whole row, which only the service can
		// compute. Such tables are asked for whole, or by that hash.
		k.text = []byte(s.Partitions[0].Key())
	}
	for i, c := range columns {
		schema.column(c).key = i + 1
	}
	k.parts = make([][]byte, len(columns))
	return k
}

func (k *keyOf) reset() { clear(k.parts) }

// take keeps the value of the part-th column, counted from 1.
func (k *keyOf) take(part int, value []byte) { k.parts[part-1] = value }

// value is valid until the next row.
func (k *keyOf) value() []byte {
	if len(k.parts) == 0 {
		return k.text
	}
	k.text = k.text[:0]
	for i, p := range k.parts {
		if i > 0 {
			k.text = append(k.text, fingerprint.Separator...)
		}
		switch {
		case len(p) == 0 || p[0] != '"': // an empty string: strings have no null
		case bytes.IndexByte(p, '\\') < 0:
			k.text = append(k.text, p[1:len(p)-1]...)
		default:
			// Valid except for lone surrogates, which are replaced.
			k.text, _ = jsontext.AppendUnquote(k.text, p)
		}
	}
	if !k.hashed || len(k.text) == 0 { // see fingerprint.Joined
		return k.text
	}
	sum := sha256.Sum256(k.text)
	hex.Encode(k.digest, sum[:])
	return k.digest
}
