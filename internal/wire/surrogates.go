package wire

// WithoutLone replaces, in valid JSON, escapes of surrogates that have no
// partner by that of U+FFFD, which is as long.
func WithoutLone(text []byte) []byte {
	for i := 0; i+1 < len(text); i += 2 {
		for i+1 < len(text) && text[i] != '\\' {
			i++
		}
		if i+6 > len(text) || text[i+1] != 'u' {
			continue
		}
		high, low := surrogate(text[i:])
		if high && i+12 <= len(text) && text[i+6] == '\\' && text[i+7] == 'u' {
			if _, paired := surrogate(text[i+6:]); paired {
				i += 10
				continue
			}
		}
		if high || low {
			copy(text[i+2:], "fffd")
		}
		i += 4
	}
	return text
}

// surrogate says whether an escape, \uXXXX, is the first or the second half of
// a pair.
func surrogate(escape []byte) (high, low bool) {
	if escape[2]|0x20 != 'd' {
		return false, false
	}
	c := escape[3] | 0x20
	return c == '8'|0x20 || c == '9'|0x20 || c == 'a' || c == 'b', c >= 'c' && c <= 'f'
}
