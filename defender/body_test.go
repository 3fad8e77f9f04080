package defender

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
)

func compressed(t *testing.T, text string, to func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	z := to(&b)
	if _, err := fmt.Fprint(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readBody is the text of a body that begins as JSON.
func readBody(encoding string, text []byte) (string, error) {
	response := &http.Response{Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{"Content-Encoding": {encoding}}}
	b, err := OpenBody(response)
	if err != nil {
		return "", err
	}
	defer b.Close()
	s, err := b.JSON()
	if err != nil {
		return "", err
	}
	got := ""
	if err = s.Value(func(value []byte) error { got = string(value); return nil }); err == nil {
		if err = s.End(); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return got, err
}

func TestEncodings(t *testing.T) {
	const text = `{"schema":[],"results":[{"DeviceId":"a"}]}`
	encodings := map[string]struct {
		name string
		to   func(io.Writer) io.WriteCloser
	}{
		"gzip":                {"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		"deflate as RFC 9110": {"deflate", func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
		"bare deflate": {"deflate", func(w io.Writer) io.WriteCloser {
			z, err := flate.NewWriter(w, flate.DefaultCompression)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}},
	}
	for name, e := range encodings {
		whole := compressed(t, text, e.to)
		got, err := readBody(e.name, whole)
		if err != nil || got != text {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		for cut := range len(whole) {
			if _, err := readBody(e.name, whole[:cut]); err == nil && name != "bare deflate" {
				t.Errorf("%s, cut at %d of %d: no error", name, cut, len(whole))
			}
		}
	}
}

func TestEncodingsThatLie(t *testing.T) {
	good := compressed(t, `{"schema":[],"results":[{"DeviceId":"a"}]}`, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	broken := bytes.Clone(good)
	copy(broken[len(broken)-8:], "xxxx") // the checksum
	for name, tt := range map[string]struct {
		encoding string
		text     []byte
	}{
		"checksum":        {"gzip", broken},
		"plain text":      {"gzip", []byte(`{"results":[]}`)},
		"more behind it":  {"gzip", append(bytes.Clone(good), "more"...)},
		"unknown":         {"br", good},
		"gzip undeclared": {"", good},
	} {
		if _, err := readBody(tt.encoding, tt.text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
