package scalar

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// punycodes turn texts into Punycode (RFC 3492) and back; what cannot be decoded
// is the empty text.
var punycodes = []Function{
	textMap("punycode_from_string", toPunycode),
	textMap("punycode_to_string", fromPunycode),
	textMap("punycode_domain_from_string", func(s string) string {
		labels := strings.Split(s, ".")
		for i, l := range labels {
			rest, ok := strings.CutPrefix(l, "xn--")
			if !ok {
				continue
			}
			if labels[i] = fromPunycode(rest); labels[i] == "" {
				return ""
			}
		}
		return strings.Join(labels, ".")
	}),
}

// The parameters of Punycode.
const (
	punyBase    = 36
	punyInitial = 128
	punyDigits  = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// punyBias adapts the bias after a delta of the n-th character.
func punyBias(delta, n int, first bool) int {
	if delta /= 2; first {
		delta /= 350 // 700 in all
	}
	delta += delta / n
	k := 0
	for ; delta > 455; k += punyBase {
		delta /= punyBase - 1
	}
	return k + punyBase*delta/(delta+38)
}

func punyThreshold(k, bias int) int { return min(max(k-bias, 1), 26) }

func toPunycode(s string) string {
	runes := []rune(s)
	var out []byte
	for _, r := range runes {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		}
	}
	basic, done := len(out), len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := punyInitial, 0, 72
	for done < len(runes) {
		next := math.MaxInt32
		for _, r := range runes {
			if int(r) >= n {
				next = min(next, int(r))
			}
		}
		delta += (next - n) * (done + 1)
		n = next
		for _, r := range runes {
			if int(r) < n {
				delta++
			}
			if int(r) != n {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := punyThreshold(k, bias)
				if q < t {
					break
				}
				out = append(out, punyDigits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			out = append(out, punyDigits[q])
			bias = punyBias(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return string(out)
}

func fromPunycode(s string) string {
	var runes []rune
	rest := s
	if at := strings.LastIndexByte(s, '-'); at >= 0 {
		runes, rest = []rune(s[:at]), s[at+1:]
	}
	if slices.ContainsFunc(runes, func(r rune) bool { return r >= utf8.RuneSelf }) || len(s) > maxLabel {
		return ""
	}
	n, i, bias := punyInitial, 0, 72
	for at := 0; at < len(rest); {
		old, weight := i, 1
		for k := punyBase; ; k += punyBase {
			if at == len(rest) {
				return ""
			}
			digit := strings.IndexByte(punyDigits, lower(rest[at]))
			at++
			if digit < 0 || digit > (math.MaxInt32-i)/weight {
				return ""
			}
			i += digit * weight
			t := punyThreshold(k, bias)
			if digit < t {
				break
			}
			if weight > math.MaxInt32/(punyBase-t) {
				return ""
			}
			weight *= punyBase - t
		}
		bias = punyBias(i-old, len(runes)+1, old == 0)
		n += i / (len(runes) + 1)
		i %= len(runes) + 1
		if n > utf8.MaxRune {
			return ""
		}
		runes = slices.Insert(runes, i, rune(n))
		i++
	}
	return string(runes)
}

// maxLabel bounds the text that is decoded, whose time grows with its square.
const maxLabel = 4096

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
