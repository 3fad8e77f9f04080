package assessment

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// page is what a page says apart from its rows.
type page struct {
	rows   int64
	next   string // address of the next page; "" if this is the last one
	values int    // how often it has rows
	failed []byte // the value of an error object; nil: there is none
	digest string // of the text of the rows, if that was asked for
}

var errPage = errors.New("the answer is not a page")

// readPage reads a page: an object with rows in the member value, and perhaps the
// address of the next page. A nil error means that it is complete JSON with nothing
// behind it.
func readPage(s *wire.Stream, digest bool, row func(text []byte) (int, error)) (page, error) {
	var p page
	var sum hash.Hash
	if digest {
		sum = sha256.New()
	}
	take := func(text []byte) (int, error) {
		n, err := row(text)
		if n > 0 && err == nil {
			p.rows++
			if sum != nil {
				sum.Write(text[:n]) // never fails
			}
		}
		return n, err
	}
	if err := s.Take('{'); err != nil {
		return p, err
	}
	for first := true; ; first = false {
		switch c, err := s.Peek(); {
		case err != nil:
			return p, err
		case c == '}':
			if err := s.Take('}'); err != nil {
				return p, err
			}
			if sum != nil {
				p.digest = hex.EncodeToString(sum.Sum(nil))
			}
			return p, p.ended(s)
		case !first:
			if err := s.Take(','); err != nil {
				return p, err
			}
		}
		if err := p.member(s, take); err != nil {
			return p, err
		}
	}
}

// member reads one member of the object.
func (p *page) member(s *wire.Stream, row func(text []byte) (int, error)) error {
	name, err := textOf(s)
	if err != nil {
		return err
	}
	if err := s.Take(':'); err != nil {
		return err
	}
	switch strings.ToLower(name) {
	case "value":
		p.values++
		return s.List(row)
	case "@odata.nextlink":
		switch c, err := s.Peek(); {
		case err != nil:
			return err
		case c == 'n':
			return s.Value(nil)
		}
		p.next, err = textOf(s)
		return err
	case "error":
		return s.Value(func(text []byte) error {
			p.failed = append(p.failed, text...)
			return nil
		})
	}
	return s.Value(nil)
}

// ended checks what is behind the object, and that it was a page.
func (p *page) ended(s *wire.Stream) error {
	if err := atEnd(s); err != nil {
		return err
	}
	if p.failed == nil && p.values != 1 {
		return fmt.Errorf("%w: it has rows %d times, not once", errPage, p.values)
	}
	return nil
}

// atEnd checks that nothing follows in an answer.
func atEnd(s *wire.Stream) error {
	switch err := s.End(); {
	case err == nil:
		return fmt.Errorf("%w: there is data after the end of the answer, at byte %d", wire.ErrInvalid, s.Offset())
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// textOf reads a text.
func textOf(s *wire.Stream) (string, error) {
	switch c, err := s.Peek(); {
	case err != nil:
		return "", err
	case c != '"':
		return "", s.Unexpected(c, '"')
	}
	text := ""
	err := s.Value(func(v []byte) error {
		plain, _ := jsontext.AppendUnquote(nil, v) // valid except for lone surrogates
		text = string(plain)
		return nil
	})
	return text, err
}

// linesBetween is how many rows are between two places. known is false where the second
// one is in another file: no answer tells how long a file is. Then it is the least number.
func linesBetween(from, to place) (rows int64, known bool) {
	if from.file == to.file {
		return int64(to.line - from.line), true
	}
	return int64(to.line), false
}

// count is what a page proves of its number of rows: the place at which it begins and
// the one at which the next page begins tell it, if both are known and in one file.
// asked is how many rows were asked for at most.
func (p page) count(from place, to *place, asked int) int64 {
	if to == nil {
		if p.rows > int64(asked) {
			return tvmexport.Missing
		}
		return p.rows
	}
	if rows, known := linesBetween(from, *to); known && rows != p.rows || !known && p.rows < rows {
		return tvmexport.Missing
	}
	return p.rows
}
