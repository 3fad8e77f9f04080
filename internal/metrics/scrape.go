package metrics

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// ServeHTTP implements http.Handler: what Prometheus scrapes, one family after the
// other, so that a scrape of many tenants does not need the memory of all series.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	h := w.Header()
	h.Set("Content-Type", string(format))
	h.Add("Vary", "Accept-Encoding")
	var to io.Writer = w
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			http.Error(w, "the metrics cannot be written: "+err.Error(), http.StatusInternalServerError)
			return
		}
		defer packed.Close()
		to = packed
	}
	write := expfmt.NewEncoder(to, format)
	if err := f.each(func(family *dto.MetricFamily) error { return write.Encode(family) }); err != nil {
		panic(http.ErrAbortHandler) // half an answer must not be taken for all
	}
	if end, ok := write.(expfmt.Closer); ok {
		_ = end.Close() // the reader may have gone
	}
}

// acceptsGzip says whether the reader of an answer unpacks it.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}
