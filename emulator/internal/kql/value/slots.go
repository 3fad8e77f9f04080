package value

import "strings"

// Slots looks several names up in one property bag after the other. It keeps the
// places of the last bag's slots, and where the names were found: neighbouring bags
// often have the same names in the same order.
type Slots struct {
	text   string
	keys   []string // as in the text: `"name":`
	names  []string
	items  []string // JSON texts
	places []int    // of names that were looked up, by their number
}

// Places that are no indexes.
const (
	notLooked = -1 - iota
	notThere
)

// Field is v.Field(name). use is the number of the name, from 0 on: always the same
// for the same name.
func (s *Slots) Field(v Value, name string, use int) (Value, bool) {
	if v.nature().d != nil || !v.IsBag() {
		return v.Field(name)
	}
	item, ok := s.item(v, name, use)
	if !ok {
		return Value{}, false
	}
	return element(item, v.nature().typed), true
}

// Text is the String of Field, empty where there is none.
func (s *Slots) Text(v Value, name string, use int) string {
	if v.nature().d != nil || !v.IsBag() {
		found, ok := v.Field(name)
		if !ok {
			return ""
		}
		return found.String()
	}
	item, ok := s.item(v, name, use)
	switch {
	case !ok:
		return ""
	case item[0] == '"' && !v.nature().typed && strings.IndexByte(item, '\\') < 0:
		return item[1 : len(item)-1]
	}
	return element(item, v.nature().typed).String()
}

// item is the JSON text of the slot with a name; v is a bag in JSON form.
func (s *Slots) item(v Value, name string, use int) (string, bool) {
	if s.text != v.s {
		s.walk(v.s)
	}
	for use >= len(s.places) {
		s.places = append(s.places, notLooked)
	}
	at := s.places[use]
	if at == notLooked {
		at = notThere
		for i, n := range s.names {
			if n == name {
				at = i
				break
			}
		}
		s.places[use] = at
	}
	if at == notThere {
		return "", false
	}
	return s.items[at], true
}

// walk finds the slots of another bag.
func (s *Slots) walk(text string) {
	s.text, s.items = text, s.items[:0]
	same := true // the names are those of the bag before
	for i := 1; i < len(text)-1; {
		if text[i] == ',' {
			i++
		}
		n := len(s.items)
		if same = same && n < len(s.keys) && strings.HasPrefix(text[i:], s.keys[n]); !same {
			s.keys = append(s.keys[:n], text[i:stringEnd(text, i)+1])
		}
		i += len(s.keys[n])
		end := valueEnd(text, i)
		s.items = append(s.items, text[i:end])
		i = end
	}
	if same && len(s.keys) == len(s.items) {
		return
	}
	s.keys, s.names = s.keys[:len(s.items)], s.names[:0]
	for _, key := range s.keys {
		w := walker{key: key[1 : len(key)-2]}
		s.names = append(s.names, w.name())
	}
	for i := range s.places {
		s.places[i] = notLooked
	}
}
