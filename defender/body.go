package defender

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// Body is the body of an answer as a stream, decompressed as its header says.
type Body struct {
	Response *http.Response // status, header and length; its body is read through Read alone
	plain    io.Reader
	gz       *gzip.Reader
	read     int64
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// OpenBody reads the beginning of an answer's body. The caller closes it.
func OpenBody(r *http.Response) (*Body, error) {
	plain, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	b := &Body{Response: r, plain: plain}
	b.gz, _ = plain.(*gzip.Reader)
	return b, nil
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.plain.Read(p)
	b.read += int64(n)
	return n, err
}

// Close reads a little of what is left, so that the connection can be used again.
// The one who made the call closes the response.
func (b *Body) Close() {
	_, _ = io.CopyN(io.Discard, b.Response.Body, 64<<10)
	if b.gz != nil {
		gzipReaders.Put(b.gz)
		b.gz = nil
	}
}

// JSON returns the body as a stream of JSON text. It looks at the beginning and says
// why it is not the service's, if it is not. It skips a byte order mark.
func (b *Body) JSON() (*wire.Stream, error) {
	s := wire.NewStream(b)
	text, err := s.Ahead(len(answers.BOM), func(text []byte) bool {
		return len(text) >= answers.Looked || answers.Foreign(text) == ""
	})
	if err != nil {
		return nil, err
	}
	if w := answers.Foreign(text); w != "" {
		return nil, foreignAnswer(b.Response, w)
	}
	if bytes.HasPrefix(text, answers.BOM) {
		s.Skip(len(answers.BOM))
	}
	return s, nil
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
