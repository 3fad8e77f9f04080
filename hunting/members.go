package hunting

import "bytes"

// members walks over the members of a JSON object that is known to be valid.
type members struct {
	text  []byte
	start int    // where the member begins: the quote of its key
	end   int    // behind its value
	key   []byte // without its quotes, escapes as they are
	value []byte
	tight bool // no blanks within the member
}

func membersOf(text []byte) members { return members{text: text, end: 1} }

// next goes to the next member. guess, a key as it stands in the text with its
// quotes and colon, spares the search for the key's end where it is right.
func (m *members) next(guess []byte) (guessed, ok bool) {
	i := blanks(m.text, m.end)
	if i < len(m.text) && m.text[i] == ',' {
		i = blanks(m.text, i+1)
	}
	if i >= len(m.text) || m.text[i] != '"' {
		return false, false
	}
	m.start = i
	if len(guess) > 0 && bytes.HasPrefix(m.text[i:], guess) {
		m.key = guess[1 : len(guess)-2]
		m.tight, guessed = true, true
		i += len(guess)
	} else {
		end := stringEnd(m.text, i)
		m.key = m.text[i+1 : end-1]
		colon := blanks(m.text, end)
		m.tight = colon == end
		i = colon + 1
	}
	if value := blanks(m.text, i); value != i {
		m.tight = false
		i = value
	}
	m.end = valueEnd(m.text, i)
	m.value = m.text[i:m.end]
	return guessed, len(m.value) > 0
}

// elements walks over the elements of a JSON array that is known to be valid.
type elements struct {
	text  []byte
	end   int
	value []byte
}

func elementsOf(text []byte) elements { return elements{text: text, end: 1} }

func (e *elements) next() bool {
	i := blanks(e.text, e.end)
	if i < len(e.text) && e.text[i] == ',' {
		i = blanks(e.text, i+1)
	}
	if i >= len(e.text) || e.text[i] == ']' {
		return false
	}
	e.end = valueEnd(e.text, i)
	e.value = e.text[i:e.end]
	return len(e.value) > 0
}

func blanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd is the offset behind the string that begins at i.
func stringEnd(b []byte, i int) int {
	for at := i + 1; at < len(b); {
		k := bytes.IndexByte(b[at:], '"')
		if k < 0 {
			break
		}
		at += k
		slash := at
		for b[slash-1] == '\\' { // the opening quote ends this at the latest
			slash--
		}
		at++
		if (at-1-slash)%2 == 0 {
			return at
		}
	}
	return len(b)
}

// valueEnd is the offset behind the value that begins at i.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				i = stringEnd(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(b)
	}
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return len(b)
}
