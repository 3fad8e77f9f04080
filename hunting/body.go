package hunting

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// body is the answer to a query, read as a stream.
type body struct {
	*wire.Stream
	results int // how often the answer has them
}

// envelope reads the outer object: onSchema takes the text of the schema, and
// onRow all that comes for each row of the results, of which it says how many
// bytes the row has, or wire.Short. A nil error means that the answer was read to
// its end and nothing follows it. An answer with a schema and without
// results has no rows.
func (b *body) envelope(onSchema func(text []byte) error, onRow func(text []byte) (int, error)) error {
	if err := b.Take('{'); err != nil {
		return err
	}
	schemas := 0
	b.results = 0
	var failed error
	for first := true; ; first = false {
		c, err := b.Peek()
		if err != nil {
			return err
		}
		if c == '}' {
			break
		}
		if !first {
			if err := b.Take(','); err != nil {
				return err
			}
		}
		name, err := b.name()
		if err != nil {
			return err
		}
		switch {
		case strings.EqualFold(name, "schema"):
			schemas++
			err = b.Value(onSchema)
		case strings.EqualFold(name, "results"):
			b.results++
			if c, peeked := b.Peek(); peeked == nil && c == 'n' {
				return defender.Foreign("HTTP 200 with an answer whose results are null")
			}
			err = b.List(onRow)
		case name == "error":
			err = b.Value(func(text []byte) error {
				failed = defender.ErrorInside(text)
				return nil
			})
		default:
			err = b.Value(nil)
		}
		if err != nil {
			return err
		}
	}
	if err := b.Take('}'); err != nil {
		return err
	}
	if err := b.End(); err == nil {
		return fmt.Errorf("%w: there is data after the end of the answer, at byte %d", wire.ErrInvalid, b.Offset())
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case failed != nil && b.results == 0:
		return failed
	case b.results == 0 && schemas == 0:
		return defender.Foreign("HTTP 200 with a JSON object that has neither a schema nor results")
	case b.results > 1:
		return fmt.Errorf("the answer has results %d times, not once", b.results)
	}
	return nil
}

// name reads the key of a member and its colon.
func (b *body) name() (string, error) {
	if c, err := b.Peek(); err != nil {
		return "", err
	} else if c != '"' {
		return "", b.Unexpected(c, '"')
	}
	name := ""
	err := b.Value(func(text []byte) error {
		unquoted, _ := jsontext.AppendUnquote(nil, text) // valid except for lone surrogates
		name = string(unquoted)
		return nil
	})
	if err != nil {
		return "", err
	}
	return name, b.Take(':')
}

// rows gives each row of the answer to w, in its normal form. The answer to a
// fetch has a row that carries its count, so it is never without results.
func (b *body) rows(n *normaliser, w tvmexport.RowWriter) error {
	err := b.envelope(n.schema.declare, func(text []byte) (int, error) { return n.row(text, w) })
	if err == nil && b.results == 0 {
		err = defender.Foreign("HTTP 200 with an answer without results, not even the count row")
	}
	return err
}
