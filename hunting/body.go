package hunting

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/tvmexport/tvmexport"
)

// body is the answer to a query, decompressed and read as a stream.
type body struct {
	raw   io.ReadCloser
	plain *counted
	gz    *gzip.Reader
	json  *jsontext.Decoder
}

// counted counts what passes.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// openBody reads the answer's beginning.
func openBody(r *http.Response) (*body, error) {
	plain, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	b := &body{raw: r.Body, plain: &counted{r: plain}}
	b.gz, _ = plain.(*gzip.Reader)
	b.json = jsontext.NewDecoder(b.plain, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
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
		if err := z.Reset(r.Body); err != nil {
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
		return nil, fmt.Errorf("the answer is encoded as %q, which was not asked for", encoding)
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

func (b *body) bytes() int64 { return b.plain.n }

func (b *body) close() {
	drain(b.raw)
	if b.gz != nil {
		gzipReaders.Put(b.gz)
	}
}

// envelope reads the outer object: onSchema takes the text of the schema, and
// onRow that of each row of the results, valid during the call. A nil error
// means that the answer was read to its end and nothing stands behind it.
func (b *body) envelope(onSchema, onRow func([]byte) error) error {
	d := b.json
	if t, err := d.ReadToken(); err != nil {
		return err
	} else if t.Kind() != '{' {
		return fmt.Errorf("the answer begins with %s, not with an object", t.Kind())
	}
	seen := false
	for d.PeekKind() != '}' {
		key, err := d.ReadToken()
		if err != nil {
			return err
		}
		switch name := strings.ToLower(key.String()); {
		case name == "schema":
			var text jsontext.Value
			if text, err = d.ReadValue(); err == nil {
				err = onSchema(text)
			}
		case name == "results" && seen:
			err = errors.New("the answer holds results twice")
		case name == "results":
			seen = true
			err = b.results(onRow)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	switch _, err := d.ReadToken(); {
	case err == nil:
		return errors.New("the answer goes on behind its end")
	case !errors.Is(err, io.EOF):
		return err
	case !seen:
		return errors.New("the answer holds no results")
	}
	return nil
}

func (b *body) results(onRow func([]byte) error) error {
	d := b.json
	if t, err := d.ReadToken(); err != nil {
		return err
	} else if t.Kind() != '[' {
		return fmt.Errorf("the results are %s, not a list", t.Kind())
	}
	for d.PeekKind() != ']' {
		row, err := d.ReadValue()
		if err != nil {
			return err
		}
		if row[0] != '{' {
			return fmt.Errorf("a result is %.20q, not an object", row)
		}
		if err := onRow(row); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// rows gives each row of the answer to w, in its normal form.
func (b *body) rows(n *normaliser, w tvmexport.RowWriter) error {
	return b.envelope(n.schema.declare, func(row []byte) error { return n.row(row, w) })
}

func (b *body) countRows(rows *[]countRow) error {
	return b.envelope(func([]byte) error { return nil }, func(row []byte) error {
		var r countRow
		if err := json.Unmarshal(row, &r, jsontext.AllowDuplicateNames(true), json.MatchCaseInsensitiveNames(true)); err != nil {
			return fmt.Errorf("a row of the count, %.200q: %w", row, err)
		}
		*rows = append(*rows, r)
		return nil
	})
}
