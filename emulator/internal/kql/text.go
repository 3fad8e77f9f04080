package kql

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// appender appends the text that tostring() gives for an expression, without
// making a string of it.
type appender func(f *frame, b []byte) []byte

// text is the appender of e.
func (e *expr) text() appender {
	switch {
	case e.append != nil:
		return e.append
	case e.constant != nil:
		text := string(scalar.AppendPlain(nil, *e.constant))
		return func(_ *frame, b []byte) []byte { return append(b, text...) }
	case e.column && e.kind == value.String:
		at := e.reads[0]
		return func(f *frame, b []byte) []byte {
			v := f.at(at)
			return append(b, v.Text()...)
		}
	}
	compute := e.eval
	return func(f *frame, b []byte) []byte { return scalar.AppendPlain(b, compute(f)) }
}

// fuse makes functions of text work in a buffer, where their arguments are texts
// that nobody else reads.
func fuse(l *layout, e *expr) {
	if e.kind != value.String && e.kind != value.Long {
		return
	}
	switch {
	case e.op == "tostring":
		e.append = e.args[0].text()
		compute := e.args[0].eval
		if e.args[0].kind == value.String {
			e.eval = compute
			break
		}
		e.eval = func(f *frame) value.Value { return value.NewString(scalar.PlainText(compute(f))) }
	case e.op == "strlen" && e.args[0].kind == value.String:
		e.append = lengthOf(l, e.args[0].eval)
	case e.op == "strcat":
		e.append = joined(e.args)
		made, at := e.append, l.buffer()
		e.eval = func(f *frame) value.Value { return value.NewString(string(f.fill(at, made))) }
	case e.op == "hash_sha256" && e.args[0].append != nil && e.args[0].kind == value.String:
		made, at := e.args[0].append, l.buffer()
		e.append = func(f *frame, b []byte) []byte {
			text := f.fill(at, made)
			if len(text) == 0 {
				return b // the hash of the empty string is empty
			}
			sum := sha256.Sum256(text)
			return hex.AppendEncode(b, sum[:])
		}
		hash := e.append
		e.eval = func(f *frame) value.Value {
			var out [2 * sha256.Size]byte
			return value.NewString(string(hash(f, out[:0])))
		}
	case e.op == "tolong" && e.args[0].append != nil && e.args[0].kind == value.String:
		made, at := e.args[0].append, l.buffer()
		e.eval = func(f *frame) value.Value { return scalar.ParseLong(f.fill(at, made)) }
	}
}

// lengthOf appends the number of characters, which it remembers for the last text.
func lengthOf(l *layout, text eval) appender {
	at := l.memory
	l.memory++
	return func(f *frame, b []byte) []byte {
		v, m := text(f), &f.memory[at]
		if !m.known || v.Text() != m.text {
			m.text, m.known, m.value = v.Text(), true, value.NewLong(int64(utf8.RuneCountInString(v.Text())))
		}
		return strconv.AppendInt(b, m.value.Int64(), 10)
	}
}

// joined is the appender of all args, one behind the other.
func joined(args []*expr) appender {
	parts := make([]appender, len(args))
	for i, a := range args {
		parts[i] = a.text()
	}
	return func(f *frame, b []byte) []byte {
		for _, part := range parts {
			b = part(f, b)
		}
		return b
	}
}

// buffer reserves a place for text that is being made.
func (l *layout) buffer() int {
	l.buffers++
	return l.buffers - 1
}

// fill makes text in a buffer of the frame, where it stays until the next time.
func (f *frame) fill(at int, made appender) []byte {
	f.buffers[at] = made(f, f.buffers[at][:0])
	return f.buffers[at]
}

// remembered is e with the value for the last text: many rows in a row have the
// same text in a column such as a device's id.
func remembered(l *layout, e *expr) *expr {
	const cheap = 5
	if e.constant != nil || e.column || e.volatile || e.cost < cheap || len(e.reads) == 0 || e.reads[0] < 0 {
		return e
	}
	for _, r := range e.reads {
		if r != e.reads[0] {
			return e
		}
	}
	from, at, compute := e.reads[0], l.memory, e.eval
	l.memory++
	made := *e
	made.eval = func(f *frame) value.Value {
		m, v := &f.memory[at], f.at(from)
		if m.known && v.Kind() == value.String && v.Text() == m.text {
			return m.value
		}
		m.value = compute(f)
		m.text, m.known = v.Text(), f.err == nil && v.Kind() == value.String
		return m.value
	}
	return &made
}

// memory is the last value of an expression and the text that it belongs to.
type memory struct {
	text  string
	value value.Value
	known bool
}
