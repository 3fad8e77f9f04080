package hunting

import (
	"errors"
	"fmt"
	"io"
)

// stream reads JSON text through a buffer that is as large as the largest
// value that is looked at in one piece.
type stream struct {
	r     io.Reader
	buf   []byte
	at    int // of what is not yet taken
	read  int64
	ended bool
}

const (
	bufferBytes = 128 << 10
	// mostBytes is the largest value that is read. A record is refused at 1 MiB,
	// and the service's limit for a whole answer is 50 MB
	// (https://learn.microsoft.com/graph/api/resources/security-api-overview).
	mostBytes = 64 << 20
)

func newStream(r io.Reader) *stream {
	return &stream{r: r, buf: make([]byte, 0, bufferBytes)}
}

// Errors of an answer's text never quote it: they give positions, lengths and
// the names of known columns. The text holds rows, and errors reach logs and
// the audit table.
var (
	errInvalid = errors.New("it is not JSON")
	errDeep    = fmt.Errorf("a value is nested more than %d levels deep", deepest)
	errHuge    = fmt.Errorf("one value has more than %d MiB", mostBytes>>20)
)

// offset is the position in the answer, after decompression, of what is not yet
// taken.
func (s *stream) offset() int64 { return s.read - int64(len(s.buf)-s.at) }

// more reads on, keeping what is not yet taken. Offsets into the buffer move.
func (s *stream) more() error {
	if s.ended {
		return io.ErrUnexpectedEOF
	}
	left := copy(s.buf[:cap(s.buf)], s.buf[s.at:])
	s.buf, s.at = s.buf[:left], 0
	if left > cap(s.buf)/2 {
		if left > mostBytes {
			return fmt.Errorf("%w (it begins at byte %d)", errHuge, s.offset())
		}
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for tries := 0; ; tries++ {
		n, err := s.r.Read(s.buf[left:cap(s.buf)])
		s.buf = s.buf[:left+n]
		s.read += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			s.ended = true
			return nil
		case err != nil:
			return err
		case n > 0:
			return nil
		case tries == 100:
			return io.ErrNoProgress
		}
	}
}

// peek is the next byte that is not blank; 0 at the end.
func (s *stream) peek() (byte, error) {
	for {
		text := scan{text: s.buf}
		if s.at = text.blanks(s.at); s.at < len(s.buf) {
			return s.buf[s.at], nil
		}
		if s.ended {
			return 0, nil
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// take goes behind the next byte, which must be want.
func (s *stream) take(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.unexpected(c, want)
	}
	s.at++
	return nil
}

// unexpected is the error for the byte c where want is expected.
func (s *stream) unexpected(c, want byte) error {
	if c == 0 && s.at == len(s.buf) {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: byte %d is not the expected %q", errInvalid, s.offset(), want)
}

// whole gives all of what comes to f, until f has found in it what it looks
// for and says how many bytes that takes. f gets more of it while it says short.
func (s *stream) whole(f func(text []byte) (int, error)) error {
	if _, err := s.peek(); err != nil {
		return err
	}
	for {
		n, err := short, error(nil)
		if s.at < len(s.buf) {
			n, err = f(s.buf[s.at:])
		}
		switch {
		case err != nil:
			return err
		case n >= 0:
			s.at += n
			return nil
		case n == invalid:
			return fmt.Errorf("%w: the value that begins at byte %d is malformed", errInvalid, s.offset())
		case n == tooDeep:
			return fmt.Errorf("%w (it begins at byte %d)", errDeep, s.offset())
		}
		if err := s.double(); err != nil {
			return err
		}
	}
}

// double reads until twice as much is there as before, or the text ends. A value
// is looked at from its beginning each time: read by small pieces, its cost
// would grow with the square of its length.
func (s *stream) double() error {
	enough := 2 * (len(s.buf) - s.at)
	for {
		if err := s.more(); err != nil {
			return err
		}
		if s.ended || len(s.buf)-s.at >= enough {
			return nil
		}
	}
}

// value gives the next value to f, if f is not nil.
func (s *stream) value(f func(text []byte) error) error {
	return s.whole(func(text []byte) (int, error) {
		v := scan{text: text}
		end := v.value(0, 0)
		if end < 0 || f == nil {
			return end, nil
		}
		return end, f(text[:end])
	})
}

// list gives all that comes to f for each element of the list that comes next,
// as whole does.
func (s *stream) list(f func(text []byte) (int, error)) error {
	if err := s.take('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.peek()
		switch {
		case err != nil:
			return err
		case c == ']':
			return s.take(']')
		case !first:
			if err := s.take(','); err != nil {
				return err
			}
		}
		if err := s.whole(f); err != nil {
			return err
		}
	}
}
