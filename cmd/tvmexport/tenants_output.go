package main

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
)

// gathered brings together what the commands of several tenants print.
type gathered struct {
	mu             sync.Mutex
	stdout, stderr io.Writer
}

// of is the output for one tenant.
func (g *gathered) of(name string, asJSON, several bool) *tenantOutput {
	return &tenantOutput{to: g, name: name, asJSON: asJSON, several: several}
}

// tenantOutput is the standard output of one tenant's command. It keeps all lines until
// the command ends, so that those of several tenants do not mix.
type tenantOutput struct {
	to      *gathered
	name    string
	asJSON  bool
	several bool
	text    bytes.Buffer
	lines   []*lineWriter // to standard error
}

// Write implements io.Writer.
func (o *tenantOutput) Write(p []byte) (int, error) { return o.text.Write(p) }

// flush prints what was kept, each line with the tenant's name, and lines to standard error that
// have no end.
func (o *tenantOutput) flush() {
	for _, l := range o.lines {
		l.flush()
	}
	o.to.mu.Lock()
	defer o.to.mu.Unlock()
	_, _ = o.to.stdout.Write(named(o.name, o.text.Bytes())) // the output remembers that it failed
	o.text.Reset()
}

// failed says why the command failed. Where results are JSON and there is none, the
// reason is one, so that no tenant is missing in them.
func (o *tenantOutput) failed(err error) {
	text := oneLine(err.Error())
	o.to.mu.Lock()
	_, _ = io.WriteString(o.to.stderr, "tvmexport: "+o.name+": "+text+"\n")
	o.to.mu.Unlock()
	if !o.asJSON || o.text.Len() > 0 {
		return
	}
	_ = json.NewEncoder(o).Encode(struct { // to memory
		Status string `json:"status"`
		Error  string `json:"error"`
	}{"failed", text})
}

// errors is standard error for the command: each line gets the tenant's name.
func (o *tenantOutput) errors() io.Writer { return o.lineWriter(true) }

// logs is standard error for the log, whose records have the tenant as an attribute.
func (o *tenantOutput) logs() io.Writer { return o.lineWriter(false) }

func (o *tenantOutput) lineWriter(name bool) *lineWriter {
	l := &lineWriter{out: o, name: name}
	o.lines = append(o.lines, l)
	return l
}

// lineWriter writes whole lines to standard error at once; the last one may lack its end.
type lineWriter struct {
	out  *tenantOutput
	name bool

	mu   sync.Mutex
	rest []byte
}

// Write implements io.Writer.
func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	err := l.print(l.rest[:end])
	l.rest = append(l.rest[:0], l.rest[end:]...)
	return len(p), err
}

// flush writes what has no end yet as a line.
func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		_ = l.print(append(l.rest, '\n')) // as of every line to standard error
		l.rest = nil
	}
}

// print writes complete lines. The caller holds the lock.
func (l *lineWriter) print(lines []byte) error {
	if l.name {
		lines = named(l.out.name, lines)
	}
	l.out.to.mu.Lock()
	defer l.out.to.mu.Unlock()
	_, err := l.out.to.stderr.Write(lines)
	return err
}

// named is text whose lines say which tenant they are about: an object of JSON by its
// first member, any other line by its beginning.
func named(name string, text []byte) []byte {
	quoted, err := json.Marshal(name)
	if err != nil {
		quoted = []byte(`""`) // unreachable: a name is text
	}
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		rest, object := bytes.CutPrefix(line, []byte("{"))
		switch {
		case object && json.Valid(line):
			out.WriteString(`{"tenant":`)
			out.Write(quoted)
			if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
				out.WriteByte(',')
			}
			out.Write(rest)
		case len(bytes.TrimSpace(line)) == 0:
			out.Write(line)
		default:
			out.WriteString(name + ": ")
			out.Write(line)
		}
	}
	return out.Bytes()
}

// namedWriter writes complete lines with the tenant's name.
type namedWriter struct {
	to   io.Writer
	name string
}

// Write implements io.Writer.
func (w namedWriter) Write(p []byte) (int, error) {
	if _, err := w.to.Write(named(w.name, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
