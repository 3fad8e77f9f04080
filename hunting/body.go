package hunting

import (
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

func openBody(r *http.Response) (*body, error) {
	b := &body{raw: r.Body}
	var plain io.Reader = r.Body
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		b.gz = gzipReaders.Get().(*gzip.Reader)
		if err := b.gz.Reset(r.Body); err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		plain = b.gz
	case "deflate":
		plain = flate.NewReader(r.Body)
	default:
		return nil, fmt.Errorf("the answer is encoded as %q, which was not asked for", encoding)
	}
	b.plain = &counted{r: plain}
	b.json = jsontext.NewDecoder(b.plain, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return b, nil
}

func (b *body) bytes() int64 { return b.plain.n }

func (b *body) close() {
	drain(b.raw)
	if b.gz != nil {
		gzipReaders.Put(b.gz)
	}
}

// envelope reads the outer object: schema goes to onSchema, and for each row
// of the results onRow is called with the row's text, valid during the call.
func (b *body) envelope(onSchema func([]byte) error, onRow func([]byte) error) error {
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
		switch strings.ToLower(key.String()) {
		case "schema":
			text, err := d.ReadValue()
			if err == nil {
				err = onSchema(text)
			}
			if err != nil {
				return err
			}
		case "results":
			seen = true
			if err := b.results(onRow); err != nil {
				return err
			}
		default:
			if err := d.SkipValue(); err != nil {
				return err
			}
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("the answer goes on behind its end")
	}
	if !seen {
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
	return b.envelope(n.schema, func(row []byte) error { return n.row(row, w) })
}

// countRow is a row of the answer to a count.
type countRow struct {
	Part  string
	Low   string
	High  string
	Start nullableTime
	Rows  int64
	Now   nullableTime
}

func (b *body) countRows(rows *[]countRow) error {
	return b.envelope(func([]byte) error { return nil }, func(row []byte) error {
		var r countRow
		if err := json.Unmarshal(row, &r, jsontext.AllowDuplicateNames(true)); err != nil {
			return fmt.Errorf("a row of the count, %.200q: %w", row, err)
		}
		*rows = append(*rows, r)
		return nil
	})
}
