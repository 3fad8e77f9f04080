package conn

// Depths of an answer in the v2 form: [ { "Rows": [ [ ...
const (
	inFrames = 1
	inFrame  = 2
	inRows   = 3
	inRow    = 4
)

// longest is how much of a member's name or value is kept.
const longest = 64

// frameScan is a scanner of JSON that knows frames, their scalar members, the
// types of their Columns, and of their Rows how many there are and which values
// are null. Whether the text is JSON at all is for the SDK to say.
type frameScan struct {
	completeness

	depth    int
	inString bool
	escaped  bool
	named    bool   // key holds the name of the member whose value is read
	key      string // of the frame's member
	token    []byte // the kept part of the string or scalar that is read
	property string // of a column: the name of the member whose value is read
	value    int    // of a row: the index of the value that is read
	frame    frame
}

func (s *frameScan) write(b []byte) {
	for _, c := range b {
		switch {
		case s.inString:
			s.text(c)
		default:
			s.structure(c)
		}
	}
}

// text takes a byte of a string.
func (s *frameScan) text(c byte) {
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		s.inString = false
		return
	}
	s.keep(c)
}

// keep adds to the token, where one is of interest.
func (s *frameScan) keep(c byte) {
	if (s.depth == inFrame || s.inColumn()) && len(s.token) < longest {
		s.token = append(s.token, c)
	}
}

// structure takes a byte outside of strings.
func (s *frameScan) structure(c byte) {
	switch c {
	case '"':
		s.inString, s.token = true, s.token[:0]
	case '{', '[':
		s.begin()
	case '}', ']':
		s.end()
	case ':':
		switch {
		case s.depth == inFrame && !s.named:
			s.named, s.key, s.token = true, string(s.token), s.token[:0]
		case s.inColumn():
			s.property, s.token = string(s.token), s.token[:0]
		}
	case ',':
		switch {
		case s.depth == inFrame:
			s.member()
		case s.inColumn():
			s.column()
		case s.inValues():
			s.value++
		}
	case ' ', '\t', '\r', '\n':
	case 'n': // of null: no other literal has one
		if s.inValues() {
			s.frame.null(s.value)
		}
		s.keep(c)
	default:
		s.keep(c)
	}
}

// inColumn says whether a column of a frame is read.
func (s *frameScan) inColumn() bool { return s.depth == inRow && s.key == "Columns" }

// inValues says whether the values of a row are read.
func (s *frameScan) inValues() bool { return s.depth == inRow && s.key == "Rows" }

// column ends a member of a column.
func (s *frameScan) column() {
	if s.property == "ColumnType" {
		s.frame.types = append(s.frame.types, string(s.token))
	}
	s.property, s.token = "", s.token[:0]
}

func (s *frameScan) begin() {
	s.depth++
	switch {
	case s.depth == inFrame:
		s.frame, s.named, s.token = frame{}, false, s.token[:0]
	case s.inValues():
		s.frame.rows++
		s.value = 0
	case s.depth == inRow && s.key == "OneApiErrors":
		s.frame.failed = true
	}
}

func (s *frameScan) end() {
	switch {
	case s.depth == inFrame:
		s.member()
		s.add(s.frame)
	case s.inColumn():
		s.column()
	}
	s.depth--
}

// member ends a member of the frame.
func (s *frameScan) member() {
	if s.named {
		s.frame.set(s.key, string(s.token))
	}
	s.named, s.key, s.token = false, "", s.token[:0]
}
