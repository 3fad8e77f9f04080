package hunting

// members walks over the members of a JSON object that is known to be valid.
// Keys come without their quotes and with their escapes.
type members struct {
	text       []byte
	at         int
	key, value []byte
}

func (m *members) next() bool {
	if m.at == 0 {
		m.at = 1 // behind the brace
	}
	m.at = blanks(m.text, m.at)
	if m.at < len(m.text) && m.text[m.at] == ',' {
		m.at = blanks(m.text, m.at+1)
	}
	if m.at >= len(m.text) || m.text[m.at] != '"' {
		return false
	}
	end := stringEnd(m.text, m.at)
	m.key = m.text[m.at+1 : end-1]
	m.at = blanks(m.text, end)
	m.at = blanks(m.text, m.at+1) // the colon
	end = valueEnd(m.text, m.at)
	m.value = m.text[m.at:end]
	m.at = end
	return len(m.value) > 0
}

// elements walks over the elements of a JSON array that is known to be valid.
type elements struct {
	text  []byte
	at    int
	value []byte
}

func (e *elements) next() bool {
	if e.at == 0 {
		e.at = 1
	}
	e.at = blanks(e.text, e.at)
	if e.at < len(e.text) && e.text[e.at] == ',' {
		e.at = blanks(e.text, e.at+1)
	}
	if e.at >= len(e.text) || e.text[e.at] == ']' {
		return false
	}
	end := valueEnd(e.text, e.at)
	e.value = e.text[e.at:end]
	e.at = end
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
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
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
