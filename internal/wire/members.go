package wire

import "bytes"

// Members walks over the members of a JSON object, and checks on its way that
// it is one.
type Members struct {
	Scan
	Start int    // where the member begins: the quote of its key
	End   int    // behind its value; behind the whole object when Next has returned false
	Key   []byte // without its quotes, escapes as they are
	Value []byte
	Tight bool // no blanks within the member
	any   bool // there was a member
	Fault int  // Short or Invalid, where Next has returned false for that
}

// MembersOf is for the object that text begins with.
func MembersOf(text []byte) Members { return Members{Scan: Scan{Text: text}, End: 1} }

// Next goes to the next member. guess, a key as in the text with its quotes and
// colon, spares the search for the key's end where it is right.
func (m *Members) Next(guess []byte) (guessed, ok bool) {
	i := m.Blanks(m.End)
	if c := m.at(i); c == '}' {
		m.End = i + 1
		return false, false
	} else if m.any {
		if c != ',' {
			return m.fail(m.ended(i))
		}
		i = m.Blanks(i + 1)
	}
	if m.at(i) != '"' {
		return m.fail(m.ended(i))
	}
	m.any, m.Tight, m.Start = true, true, i
	if len(guess) > 0 && bytes.HasPrefix(m.Text[i:], guess) {
		m.Key = guess[1 : len(guess)-2]
		guessed = true
		i += len(guess)
	} else {
		end := m.string(i)
		if end < 0 {
			return m.fail(end)
		}
		m.Key = m.Text[i+1 : end-1]
		if i = m.Blanks(end); m.at(i) != ':' {
			return m.fail(m.ended(i))
		}
		m.Tight = i == end
		i++
	}
	value := m.Blanks(i)
	if m.End = m.Scan.Value(value, 1); m.End < 0 {
		return m.fail(m.End)
	}
	m.Tight = m.Tight && value == i
	m.Value = m.Text[value:m.End]
	return guessed, true
}

func (m *Members) fail(fault int) (guessed, ok bool) {
	m.Fault = fault
	return false, false
}
