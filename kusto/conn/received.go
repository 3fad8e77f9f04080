package conn

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Received is an answer from before. It is the response to any request.
type Received struct {
	Status int
	Header http.Header
	Body   []byte
}

// RoundTrip implements http.RoundTripper.
func (a Received) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)), StatusCode: a.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.Header.Clone(),
		Body: io.NopCloser(strings.NewReader(string(a.Body))), ContentLength: int64(len(a.Body)), Request: r,
	}, nil
}
