package metrics

import (
	"net/http"
	"strconv"
)

// RoundTripper counts the requests that pass it, under the name of a service.
func (m *Metrics) RoundTripper(service string, next http.RoundTripper) http.RoundTripper {
	return &counting{m, service, next}
}

type counting struct {
	m       *Metrics
	service string
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	code := "error"
	if err == nil {
		code = strconv.Itoa(answer.StatusCode)
	}
	c.m.change(func() { c.m.requests.add([2]string{c.service, code}, 1) })
	return answer, err
}

// CloseIdleConnections passes on what http.Client asks of its transport.
func (c *counting) CloseIdleConnections() {
	if closer, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
