package faults

import "net/http"

// truncatedTail is how much of a body TruncateJSON drops: enough to lose the end
// of the document and a part of its last value.
const truncatedTail = 64

// wrap disturbs what is written to w as the rule says. finish is called after the
// last write.
func (rule Rule) wrap(w http.ResponseWriter) (out http.ResponseWriter, finish func()) {
	finish = func() {}
	out = w
	if rule.CutAfter > 0 {
		out = &cut{ResponseWriter: out, left: rule.CutAfter}
	}
	if rule.TruncateJSON {
		t := &truncated{ResponseWriter: out}
		out, finish = t, t.finish
	}
	if rule.rewrites() {
		d := &rewriting{ResponseWriter: out, rule: rule}
		out, finish = d, d.finish
	}
	headers := rule.Headers
	if rule.LieGzip {
		headers = map[string]string{"Content-Encoding": "gzip"}
	}
	if len(headers) > 0 {
		out = &decorated{ResponseWriter: out, headers: headers}
	}
	return out, finish
}

// cut breaks the connection when its bytes are used up.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cut) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	// The error makes no difference: the connection ends here in any case.
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler) // the documented way to break off an answer
}

// truncated keeps the last bytes back and forgets them.
type truncated struct {
	http.ResponseWriter
	held    []byte
	started bool
}

func (t *truncated) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *truncated) WriteHeader(status int) {
	t.Header().Del("Content-Length") // the shorter body must look complete
	t.ResponseWriter.WriteHeader(status)
}

func (t *truncated) Write(p []byte) (int, error) {
	t.Header().Del("Content-Length")
	t.held = append(t.held, p...)
	if ready := len(t.held) - truncatedTail; ready > 0 {
		t.started = true
		if _, err := t.ResponseWriter.Write(t.held[:ready]); err != nil {
			return 0, err
		}
		t.held = append(t.held[:0], t.held[ready:]...)
	}
	return len(p), nil
}

// finish ends the body. Of one that is shorter than what is dropped, half is sent.
func (t *truncated) finish() {
	if !t.started && len(t.held) > 0 {
		// Only the connection can fail here, and then nobody reads the answer.
		_, _ = t.ResponseWriter.Write(t.held[:len(t.held)/2])
	}
}

// decorated sets the rule's headers over those of the answer.
type decorated struct {
	http.ResponseWriter
	headers map[string]string
	sent    bool
}

func (d *decorated) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *decorated) WriteHeader(status int) {
	d.decorate()
	d.ResponseWriter.WriteHeader(status)
}

func (d *decorated) Write(p []byte) (int, error) {
	d.decorate()
	return d.ResponseWriter.Write(p)
}

func (d *decorated) decorate() {
	if d.sent {
		return
	}
	d.sent = true
	for name, value := range d.headers {
		d.Header().Set(name, value)
	}
}

// discarded is the writer of an answer that is not sent.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}
