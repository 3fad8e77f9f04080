package hunting

import "bytes"

// members walks over the members of a JSON object, and checks on its way that
// it is one.
type members struct {
	scan
	start int    // where the member begins: the quote of its key
	end   int    // behind its value; behind the whole object when next has returned false
	key   []byte // without its quotes, escapes as they are
	value []byte
	tight bool // no blanks within the member
	any   bool // there was a member
	fault int  // short or invalid, where next has returned false for that
}

// membersOf is for the object that text begins with.
func membersOf(text []byte) members { return members{scan: scan{text: text}, end: 1} }

// next goes to the next member. guess, a key as in the text with its quotes and
// colon, spares the search for the key's end where it is right.
func (m *members) next(guess []byte) (guessed, ok bool) {
	i := m.blanks(m.end)
	if c := m.at(i); c == '}' {
		m.end = i + 1
		return false, false
	} else if m.any {
		if c != ',' {
			return m.fail(m.ended(i))
		}
		i = m.blanks(i + 1)
	}
	if m.at(i) != '"' {
		return m.fail(m.ended(i))
	}
	m.any, m.tight, m.start = true, true, i
	if len(guess) > 0 && bytes.HasPrefix(m.text[i:], guess) {
		m.key = guess[1 : len(guess)-2]
		guessed = true
		i += len(guess)
	} else {
		end := m.string(i)
		if end < 0 {
			return m.fail(end)
		}
		m.key = m.text[i+1 : end-1]
		if i = m.blanks(end); m.at(i) != ':' {
			return m.fail(m.ended(i))
		}
		m.tight = i == end
		i++
	}
	value := m.blanks(i)
	if m.end = m.scan.value(value, 1); m.end < 0 {
		return m.fail(m.end)
	}
	m.tight = m.tight && value == i
	m.value = m.text[value:m.end]
	return guessed, true
}

func (m *members) fail(fault int) (guessed, ok bool) {
	m.fault = fault
	return false, false
}
