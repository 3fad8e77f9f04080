package faults

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// dropping collects a hunting answer and sends it without its last rows: what
// a silent cut looks like.
type dropping struct {
	http.ResponseWriter
	rows   int
	status int
	body   bytes.Buffer
}

func (d *dropping) WriteHeader(status int)      { d.status = status }
func (d *dropping) Write(p []byte) (int, error) { return d.body.Write(p) }

// Unwrap is missing on purpose: a flush would send what is still to be cut.

func (d *dropping) finish() {
	d.Header().Del("Content-Length")
	if d.status != 0 {
		d.ResponseWriter.WriteHeader(d.status)
	}
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = d.ResponseWriter.Write(withoutRows(d.body.Bytes(), d.rows))
}

// withoutRows leaves the last n rows out of the list of results, whose name
// each front writes in its own case. What is no such answer stays as it is.
func withoutRows(body []byte, n int) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return body
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return body
		}
		text, _ := name.(string) // a member's name is a string
		if !strings.EqualFold(text, "results") {
			var other json.RawMessage
			if decoder.Decode(&other) != nil {
				return body
			}
			continue
		}
		if t, err := decoder.Token(); err != nil || t != json.Delim('[') {
			return body
		}
		ends := []int64{decoder.InputOffset()} // where the list begins, and each row ends
		for decoder.More() {
			var row json.RawMessage
			if decoder.Decode(&row) != nil {
				return body
			}
			ends = append(ends, decoder.InputOffset())
		}
		keep := ends[max(0, len(ends)-1-n)]
		return append(bytes.Clone(body[:keep]), body[ends[len(ends)-1]:]...)
	}
	return body
}
