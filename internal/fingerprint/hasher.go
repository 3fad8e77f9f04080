package fingerprint

import (
	"crypto/sha256"
	"strconv"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// Digest is the hash of a row: what Row computes with a query.
type Digest [sha256.Size]byte

// Fingerprint is that of the one row: what Sums adds up.
func (d Digest) Fingerprint() tvmexport.Fingerprint {
	f := tvmexport.EmptyFingerprint
	for i := range f.Sums {
		for _, c := range d[5*i : 5*i+5] {
			f.Sums[i] = f.Sums[i]<<8 | int64(c)
		}
	}
	return f
}

// Hasher computes digests of rows in this process, for a source that answers no
// queries. The rows are JSON objects in the form that is published. The text of a
// value is the one that Kusto gives for the stored value. A value that does not fit
// its column has its JSON text here and none at the destination, so that a change of
// it is noticed. A Hasher is for one goroutine.
type Hasher struct {
	columns []tvmexport.Column
	at      map[string]int // by name
	watched int            // index of the watched column; -1: none is

	values [][]byte // of the row, by column; the watched one is the last where no hash takes it
	hashed int      // how many of the columns are hashed
	odd    []tvmexport.Column
	text   []byte // hashed
	value  []byte // text of one value
}

// NewHasher makes a Hasher of rows over the columns. Without columns it hashes the
// JSON text of rows. watch names a column of which Watched returns the value; "" for
// none.
func NewHasher(columns []tvmexport.Column, watch string) *Hasher {
	h := &Hasher{columns: columns, at: make(map[string]int, len(columns)), watched: -1, hashed: len(columns)}
	for i, c := range columns {
		h.at[c.Name] = i
	}
	if watch != "" {
		i, ok := h.at[watch]
		if !ok {
			i = len(columns)
			h.columns = append(columns[:i:i], tvmexport.Column{Name: watch, Type: "datetime"})
			h.at[watch] = i
		}
		h.watched = i
	}
	h.values = make([][]byte, len(h.columns))
	return h
}

// Row is the digest of a row. The error says that the text is no JSON object; it does
// not quote the row.
func (h *Hasher) Row(row []byte) (Digest, error) {
	if err := h.read(row); err != nil {
		return Digest{}, err
	}
	if h.hashed == 0 {
		return sha256.Sum256(row), nil
	}
	h.text, h.odd = h.text[:0], h.odd[:0]
	for i, c := range h.columns[:h.hashed] {
		var fits bool
		if h.value, fits = appendValue(h.value[:0], c.Type, h.values[i]); !fits {
			h.odd = append(h.odd, c)
		}
		h.text = strconv.AppendInt(h.text, int64(utf8.RuneCount(h.value)), 10)
		h.text = append(h.text, ':')
		h.text = append(h.text, h.value...)
	}
	return sha256.Sum256(h.text), nil
}

// Watched is the JSON text of the watched column in the row that was hashed last; nil
// if the row does not have it. It is valid until the next row.
func (h *Hasher) Watched() []byte {
	if h.watched < 0 {
		return nil
	}
	return h.values[h.watched]
}

// Odd are the hashed columns of which the row that was hashed last has a value that does
// not fit. They are valid until the next row.
func (h *Hasher) Odd() []tvmexport.Column { return h.odd }

// read finds the values of the columns in a row.
func (h *Hasher) read(row []byte) error {
	clear(h.values)
	m := objectOf(row)
	for guess := 0; m.next(); guess++ {
		name := m.name
		if guess >= len(h.columns) || h.columns[guess].Name != string(name) {
			i, ok := h.at[string(name)] // allocates nothing
			if !ok {
				guess--
				continue
			}
			guess = i
		}
		h.values[guess] = m.value
	}
	return m.err
}
