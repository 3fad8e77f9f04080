package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/tvmexport/tvmexport/emulator/internal/datamanagement"
)

// serveStreamingIngest is /v1/rest/ingest/{database}/{table}. See
// https://learn.microsoft.com/kusto/api/rest/streaming-ingest.
func (f *front) serveStreamingIngest(x *exchange) {
	if f.Ingest || f.DataManagement == nil {
		f.fail(x, "", requestError(http.StatusBadRequest, "streaming ingestion goes to the cluster's own URI, without 'ingest-'"))
		return
	}
	in, err := readStream(x)
	if err == nil {
		err = f.DataManagement.Stream(x.Context(), in)
	}
	if err != nil {
		f.fail(x, "", err)
		return
	}
	// The service answers with an empty table of what it rejected.
	x.out.text(`{"Tables":[{"TableName":"Table_0","Columns":[],"Rows":[]}]}`)
	x.out.end(http.StatusOK)
}

func readStream(x *exchange) (datamanagement.Stream, error) {
	q := x.URL.Query()
	in := datamanagement.Stream{
		Principal: x.principal, Database: x.PathValue("database"), Table: x.PathValue("table"),
		Format: strings.ToLower(q.Get("streamFormat")), Mapping: q.Get("mappingName"),
		Body: x.Body, ActivityID: x.activityID,
	}
	if in.Format == "" {
		return in, requestError(http.StatusBadRequest, "the parameter streamFormat is missing")
	}
	switch kind := strings.ToLower(q.Get("sourceKind")); kind {
	case "":
	case "uri":
		var source struct {
			SourceURI string `json:"sourceUri"`
		}
		err := json.NewDecoder(http.MaxBytesReader(x.out.w, x.Body, 1<<20)).Decode(&source)
		if err == nil && source.SourceURI == "" {
			err = errors.New("sourceUri is missing")
		}
		if err != nil {
			return in, requestError(http.StatusBadRequest, "the body is not {\"sourceUri\": URL}: %v", err)
		}
		in.BlobURI = source.SourceURI
		return in, nil
	default:
		return in, requestError(http.StatusBadRequest, "sourceKind is %q; it can be uri", kind)
	}
	// Data under gzip is recognised by its first bytes: some clients name the
	// encoding where there is none.
	switch encoding := strings.ToLower(x.Header.Get("Content-Encoding")); encoding {
	case "", "gzip", "identity":
	case "deflate":
		in.Body = flate.NewReader(io.LimitReader(x.Body, datamanagement.MaxStream+1))
	default:
		return in, requestError(http.StatusUnsupportedMediaType, "the body's encoding is %q; gzip, deflate and none are understood", fmt.Sprint(encoding))
	}
	return in, nil
}
