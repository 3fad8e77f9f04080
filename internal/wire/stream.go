package wire

import (
	"errors"
	"fmt"
	"io"
)

// Stream reads JSON text through a buffer that is as large as the largest
// Value that is looked at in one piece.
type Stream struct {
	r     io.Reader
	buf   []byte
	at    int // of what is not yet taken
	read  int64
	ended bool
}

const (
	// BufferBytes is the size of a stream's buffer, unless a value is larger.
	BufferBytes = 128 << 10
	// MostBytes is the largest value that is read. A record is refused at 1 MiB,
	// and the service's limit for a whole answer is 50 MB
	// (https://learn.microsoft.com/graph/api/resources/security-api-overview).
	MostBytes = 64 << 20
)

// NewStream reads r from its beginning.
func NewStream(r io.Reader) *Stream {
	return NewStreamSize(r, BufferBytes)
}

// NewStreamSize is NewStream with a buffer of another size at first.
func NewStreamSize(r io.Reader, size int) *Stream {
	return &Stream{r: r, buf: make([]byte, 0, size)}
}

// Errors of an answer's text never quote it: they give positions, lengths and
// the names of known columns. The text holds rows, and errors reach logs and
// the audit table.
var (
	ErrInvalid = errors.New("it is not JSON")
	ErrDeep    = fmt.Errorf("a value is nested more than %d levels deep", Deepest)
	ErrHuge    = fmt.Errorf("one value has more than %d MiB", MostBytes>>20)
)

// Offset is the position in the answer, after decompression, of what is not yet
// taken.
func (s *Stream) Offset() int64 { return s.read - int64(len(s.buf)-s.at) }

// more reads on, keeping what is not yet taken. Offsets into the buffer move.
func (s *Stream) more() error {
	if s.ended {
		return io.ErrUnexpectedEOF
	}
	left := copy(s.buf[:cap(s.buf)], s.buf[s.at:])
	s.buf, s.at = s.buf[:left], 0
	if left > cap(s.buf)/2 {
		if left > MostBytes {
			return fmt.Errorf("%w (it begins at byte %d)", ErrHuge, s.Offset())
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

// Ahead is what comes next, which is not taken: n bytes or more, and further bytes
// until enough says so or the buffer is full. At the end of the text it is less.
func (s *Stream) Ahead(n int, enough func(text []byte) bool) ([]byte, error) {
	for !s.ended && (len(s.buf)-s.at < n || len(s.buf) < cap(s.buf) && !enough(s.buf[s.at:])) {
		if err := s.more(); err != nil {
			return nil, err
		}
	}
	return s.buf[s.at:], nil
}

// Skip takes n bytes of what Ahead has returned.
func (s *Stream) Skip(n int) { s.at += n }

// End is io.EOF at the end of the text, nil before it.
func (s *Stream) End() error {
	if _, err := s.Peek(); err != nil {
		return err
	}
	if s.at == len(s.buf) {
		return io.EOF
	}
	return nil
}

// Read is how many bytes were read.
func (s *Stream) Read() int64 { return s.read }

// Peek is the next byte that is not blank; 0 at the end.
func (s *Stream) Peek() (byte, error) {
	for {
		text := Scan{Text: s.buf}
		if s.at = text.Blanks(s.at); s.at < len(s.buf) {
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

// Take goes behind the next byte, which must be want.
func (s *Stream) Take(want byte) error {
	c, err := s.Peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.Unexpected(c, want)
	}
	s.at++
	return nil
}

// Unexpected is the error for the byte c where want is expected.
func (s *Stream) Unexpected(c, want byte) error {
	if c == 0 && s.at == len(s.buf) {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: byte %d is not the expected %q", ErrInvalid, s.Offset(), want)
}

// Whole gives all of what comes to f, until f has found in it what it looks
// for and says how many bytes that takes. f gets more of it while it says Short.
func (s *Stream) Whole(f func(text []byte) (int, error)) error {
	if _, err := s.Peek(); err != nil {
		return err
	}
	for {
		n, err := Short, error(nil)
		if s.at < len(s.buf) {
			n, err = f(s.buf[s.at:])
		}
		switch {
		case err != nil:
			return err
		case n >= 0:
			s.at += n
			return nil
		case n == Invalid:
			return fmt.Errorf("%w: the value that begins at byte %d is malformed", ErrInvalid, s.Offset())
		case n == TooDeep:
			return fmt.Errorf("%w (it begins at byte %d)", ErrDeep, s.Offset())
		}
		if err := s.double(); err != nil {
			return err
		}
	}
}

// double reads until twice as much is there as before, or the text ends. A value
// is looked at from its beginning each time: read by small pieces, its cost
// would grow with the square of its length.
func (s *Stream) double() error {
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

// Value gives the next value to f, if f is not nil.
func (s *Stream) Value(f func(text []byte) error) error {
	return s.Whole(func(text []byte) (int, error) {
		v := Scan{Text: text}
		end := v.Value(0, 0)
		if end < 0 || f == nil {
			return end, nil
		}
		return end, f(text[:end])
	})
}

// List gives all that comes to f for each element of the list that comes next,
// as Whole does.
func (s *Stream) List(f func(text []byte) (int, error)) error {
	if err := s.Take('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.Peek()
		switch {
		case err != nil:
			return err
		case c == ']':
			return s.Take(']')
		case !first:
			if err := s.Take(','); err != nil {
				return err
			}
		}
		if err := s.Whole(f); err != nil {
			return err
		}
	}
}
