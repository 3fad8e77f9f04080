package scalar

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// encodings turn texts into their encoded forms and back; what cannot be
// decoded is the empty string.
var encodings = []Function{
	textMap("base64_encode_tostring", encodeBase64),
	textMap("base64_decode_tostring", decodedText),
	textMap("base64_encodestring", encodeBase64),
	textMap("base64_decodestring", decodedText),
	fn("base64_decode_toarray", value.Dynamic, params{isString}, func(a []value.Value) value.Value {
		b, err := decodeBase64(a[0].Text())
		if err != nil {
			return nullAny
		}
		elements := make([]value.Value, len(b))
		for i, c := range b {
			elements[i] = value.NewLong(int64(c))
		}
		return value.NewArray(elements)
	}),
	textMap("url_encode", func(s string) string { return lowerEscapes(url.QueryEscape(s)) }),
	textMap("url_encode_component", func(s string) string {
		return lowerEscapes(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"))
	}),
	textMap("url_decode", func(s string) string {
		if d, err := url.QueryUnescape(s); err == nil {
			return d
		}
		return s
	}),
	textMap("gzip_compress_to_base64_string", func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s)) // a bytes.Buffer takes everything
		_ = w.Close()
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}),
	textMap("gzip_decompress_from_base64_string", func(s string) string {
		b, err := decodeBase64(s)
		if err != nil {
			return ""
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return ""
		}
		text, err := io.ReadAll(io.LimitReader(r, maxText))
		if err != nil {
			return ""
		}
		return string(text)
	}),
}

func encodeBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func decodedText(s string) string {
	b, err := decodeBase64(s)
	if err != nil || !utf8.Valid(b) {
		return ""
	}
	return string(b)
}

// decodeBase64 takes text with its padding only.
func decodeBase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(s)
}

// lowerEscapes writes the hex digits of percent-encoded text in lower case, as
// the service does.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}
