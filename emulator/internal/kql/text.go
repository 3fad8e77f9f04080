package kql

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
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
		if str := e.args[0].str; str != nil {
			e.eval = func(f *frame) value.Value { return value.NewString(str(f)) }
		}
	case e.op == "strlen" && e.args[0].kind == value.String:
		text := e.args[0].eval
		e.append = func(f *frame, b []byte) []byte {
			v := text(f)
			return strconv.AppendInt(b, int64(utf8.RuneCountInString(v.Text())), 10)
		}
	case e.op == "strcat":
		made := newStrcat(l, e.args)
		e.made = made.of
		e.append = func(f *frame, b []byte) []byte { return append(b, made.of(f)...) }
		e.eval = func(f *frame) value.Value { return value.NewString(string(made.of(f))) }
	case e.op == "substring" && e.args[0].kind == value.String:
		fuseSubstring(e)
	case e.op == "hash_sha256" && e.args[0].append != nil && e.args[0].kind == value.String:
		made := l.filled(e.args[0])
		e.append = func(f *frame, b []byte) []byte {
			text := made(f)
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
		made := l.filled(e.args[0])
		e.eval = func(f *frame) value.Value { return scalar.ParseLong(made(f)) }
	}
}

// fuseSubstring cuts out of a text without making a value of the part.
func fuseSubstring(e *expr) {
	text, start, length := e.args[0].eval, int64(0), int64(math.MaxInt64)
	for i, a := range e.args[1:] {
		switch {
		case a.constant == nil || a.constant.IsNull() || a.constant.Int64() < 0:
			return
		case i == 0:
			start = a.constant.Int64()
		default:
			length = a.constant.Int64()
		}
	}
	e.eval = func(f *frame) value.Value {
		v := text(f)
		return value.NewString(scalar.Cut(v.Text(), start, length))
	}
	e.append = func(f *frame, b []byte) []byte {
		v := text(f)
		return append(b, scalar.Cut(v.Text(), start, length)...)
	}
}

// filled makes the text of e in a buffer of the frame, where it stays until the
// next time.
func (l *layout) filled(e *expr) func(f *frame) []byte {
	if e.made != nil {
		return e.made
	}
	at, text := l.buffers, e.append
	l.buffers++
	return func(f *frame) []byte {
		f.buffers[at] = text(f, f.buffers[at][:0])
		return f.buffers[at]
	}
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
	made.test = nil
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
