package hunting

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// body is the answer to a query, decompressed and read as a stream.
type body struct {
	*wire.Stream
	raw     io.ReadCloser
	gz      *gzip.Reader
	results int // how often the answer has them
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// openBody reads the answer's beginning.
func openBody(r *http.Response) (*body, error) {
	plain, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	b := &body{Stream: wire.NewStream(plain), raw: r.Body}
	b.gz, _ = plain.(*gzip.Reader)
	return b, nil
}

// decompressed is the body as text. gzip is what is asked for; deflate is what
// the legacy APIs have been seen to answer.
func decompressed(r *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return r.Body, nil
	case "gzip":
		z := gzipReaders.Get().(*gzip.Reader)
		switch err := z.Reset(r.Body); {
		case errors.Is(err, gzip.ErrHeader):
			return nil, foreignAnswer(r, "Content-Encoding is gzip, but the body is not compressed")
		case err != nil:
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return z, nil
	case "deflate":
		plain, err := inflate(r.Body)
		if err != nil {
			return nil, fmt.Errorf("deflate: %w", err)
		}
		return plain, nil
	default:
		return nil, foreignAnswer(r, fmt.Sprintf("Content-Encoding %q was not requested", answers.OneLine(encoding, 40)))
	}
}

// inflate reads both forms that servers call deflate: zlib's, as RFC 9110 has
// it, and the bare one. Deflated text never begins as zlib's header does.
func inflate(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	head, err := buffered.Peek(2)
	if err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(buffered)
	}
	return flate.NewReader(buffered), nil
}

func (b *body) close() {
	drain(b.raw)
	if b.gz != nil {
		gzipReaders.Put(b.gz)
	}
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
	var failed *errorInside
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
				return &foreign{"HTTP 200 with an answer whose results are null"}
			}
			err = b.List(onRow)
		case name == "error":
			err = b.Value(func(text []byte) error {
				failed = &errorInside{readSaid(slices.Concat([]byte(`{"error":`), text, []byte("}")))}
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
		return &foreign{"HTTP 200 with a JSON object that has neither a schema nor results"}
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
		err = &foreign{"HTTP 200 with an answer without results, not even the count row"}
	}
	return err
}
