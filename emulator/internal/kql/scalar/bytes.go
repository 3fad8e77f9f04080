package scalar

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// byteFunctions encode what is no text, and what other encoders wrap.
var byteFunctions = []Function{
	fn("base64_decode_toguid", value.GUID, params{isString}, func(a []value.Value) value.Value {
		b, err := decodeBase64(a[0].Text())
		if err != nil || len(b) != 16 {
			return value.Null(value.GUID)
		}
		v, err := value.NewGUID(hex.EncodeToString(guidOrder(b)))
		if err != nil {
			return value.Null(value.GUID)
		}
		return v
	}),
	fn("base64_encode_fromguid", value.String, params{isGUID}, func(a []value.Value) value.Value {
		b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(a[0].Text()), []byte("-"), nil)))
		if err != nil {
			return noText
		}
		return value.NewString(base64.StdEncoding.EncodeToString(guidOrder(b)))
	}),
	fn("base64_encode_fromarray", value.String, params{isDynamic}, func(a []value.Value) value.Value {
		elements, ok := a[0].Array()
		b := make([]byte, len(elements))
		for i, e := range elements {
			n := Convert(e, value.Long)
			ok = ok && !n.IsNull() && n.Int64() >= 0 && n.Int64() <= 255
			b[i] = byte(n.Int64())
		}
		if !ok {
			return noText
		}
		return value.NewString(base64.StdEncoding.EncodeToString(b))
	}),
	textMap("zlib_compress_to_base64_string", func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = io.WriteString(w, s) // a bytes.Buffer takes everything
		_ = w.Close()
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}),
	textMap("zlib_decompress_from_base64_string", func(s string) string {
		b, err := decodeBase64(s)
		if err != nil {
			return ""
		}
		r, err := zlib.NewReader(bytes.NewReader(b))
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

// guidOrder exchanges the order of a GUID's bytes in memory, where its first
// three groups are little-endian, with that of its text.
func guidOrder(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b[0:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return b
}
