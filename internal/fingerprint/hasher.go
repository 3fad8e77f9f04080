package fingerprint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

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
	names   [][]byte       // of columns as a row is thought to have them, with quotes and colon
	at      map[string]int // by name
	watched int            // index of the watched column; -1: none is

	values [][]byte // of the row, by column; the watched one is the last where no hash takes it
	ascii  bool     // the row is ASCII
	plain  bool     // it has no escape
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
	for _, c := range h.columns {
		name, _ := jsontext.AppendQuote(nil, c.Name) // invalid UTF-8 is replaced, as in rows
		h.names = append(h.names, append(name, ':'))
	}
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
		v := h.values[i]
		bytewise := h.ascii && (h.plain || bytes.IndexByte(v, '\\') < 0) // a byte of its text is a character
		if bytewise && c.Type == "string" && len(v) > 0 && v[0] == '"' {
			h.add(v[1:len(v)-1], len(v)-2)
			continue
		}
		var fits bool
		if h.value, fits = appendValue(h.value[:0], c.Type, v); !fits {
			h.odd = append(h.odd, c)
		}
		characters := len(h.value)
		if !bytewise {
			characters = utf8.RuneCount(h.value)
		}
		h.add(h.value, characters)
	}
	return sha256.Sum256(h.text), nil
}

// add appends the text of a value behind its length to what is hashed.
func (h *Hasher) add(text []byte, characters int) {
	h.text = strconv.AppendInt(h.text, int64(characters), 10)
	h.text = append(h.text, ':')
	h.text = append(h.text, text...)
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
	h.ascii, h.plain = isASCII(row), m.plain
	for next := 0; ; {
		var guess []byte
		if next < len(h.names) {
			guess = h.names[next]
		}
		guessed, ok := m.next(guess)
		if !ok {
			return m.err
		}
		if !guessed {
			i, known := h.at[string(m.name)] // allocates nothing
			if !known {
				continue
			}
			next = i
		}
		h.values[next] = m.value
		next++
	}
}

// isASCII says whether a text has no byte above 0x7f.
func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		if binary.LittleEndian.Uint64(text)&high != 0 {
			return false
		}
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
