package value

// Slots looks several names up in one property bag after the other. It keeps
// the places of the last bag's slots.
type Slots struct {
	text  string
	names []string
	items []string // JSON texts
}

// Field is v.Field(name).
func (s *Slots) Field(v Value, name string) (Value, bool) {
	if v.d != nil || !v.IsBag() {
		return v.Field(name)
	}
	if s.text != v.s {
		s.text, s.names, s.items = v.s, s.names[:0], s.items[:0]
		for w := newWalker(v.s); w.next(); {
			s.names, s.items = append(s.names, w.name()), append(s.items, w.item)
		}
	}
	for i, n := range s.names {
		if n == name {
			return element(s.items[i], v.typed), true
		}
	}
	return Value{}, false
}
