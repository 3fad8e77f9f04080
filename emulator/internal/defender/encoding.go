package defender

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// acceptedEncoding is the first of offers that the request accepts with the
// highest weight, or "" for none. See RFC 9110 section 12.5.3.
func acceptedEncoding(header string, offers ...string) string {
	best, bestWeight := "", 0.0
	for _, offer := range offers {
		if w := weight(header, offer); w > bestWeight {
			best, bestWeight = offer, w
		}
	}
	return best
}

// weight is how much the header wants the coding: 0 not at all.
func weight(header, coding string) float64 {
	star := 0.0
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		w := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			parsed, err := strconv.ParseFloat(q, 64)
			if err != nil {
				continue
			}
			w = parsed
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, coding):
			return w
		case name == "*":
			star = w
		}
	}
	return star
}

var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return w
}}

// compress wraps w so that what is written comes out in the coding, "" for as it
// is, and sets the header. done ends the stream.
func compress(w http.ResponseWriter, coding string, rawDeflate bool) (out io.Writer, done func() error) {
	w.Header().Add("Vary", "Accept-Encoding")
	if coding != "" {
		w.Header().Set("Content-Encoding", coding)
	}
	switch {
	case coding == "gzip":
		z := gzipWriters.Get().(*gzip.Writer)
		z.Reset(w)
		return z, func() error {
			err := z.Close()
			gzipWriters.Put(z)
			return err
		}
	case coding == "deflate" && rawDeflate:
		z, _ := flate.NewWriter(w, flate.BestSpeed) // the level is valid
		return z, z.Close
	case coding == "deflate":
		z, _ := zlib.NewWriterLevel(w, zlib.BestSpeed) // the level is valid
		return z, z.Close
	}
	return w, func() error { return nil }
}
