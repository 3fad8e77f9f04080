package kql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// keysStep takes the values of keys out of a text
// (https://learn.microsoft.com/kusto/query/parse-kv-operator).
type keysStep struct {
	e     *expr
	pairs func(text string, visit func(key, value string))
	index map[string]int // of the keys
	kinds []value.Kind
	slots []int
}

func (b *binder) parseKV(p *pipeline, n *syntax.ParseKV, c site) error {
	e, err := b.scalar(n.X, c)
	if err != nil {
		return err
	}
	if e.kind != value.String && e.kind != value.Dynamic {
		return semantic(n.X.Pos(), "'parse-kv' operator: argument #1 expected to be a string expression")
	}
	s := &keysStep{e: converted(p.layout, e, value.String), index: map[string]int{}, pairs: delimited(n)}
	if n.HasRegex {
		re, err := regexp.Compile(n.Regex)
		if err != nil || re.NumSubexp() != 2 {
			return semantic(n.Pos(), "'parse-kv' operator: the regular expression must be valid and have two groups")
		}
		s.pairs = func(text string, visit func(key, value string)) {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				visit(m[1], m[2])
			}
		}
	}
	for _, q := range append(n.Quotes, n.Escapes...) {
		if len(q) == 0 || len(q) > 2 {
			return unsupported(n.Pos(), "'parse-kv' operator: a quote or an escape of another length than one or two ASCII characters is not supported here.")
		}
	}
	fields := slices.Clone(p.fields)
	for i, k := range n.Keys {
		if _, taken := s.index[k.Name]; taken {
			return semantic(n.Pos(), "'parse-kv' operator: Column '%s' is defined more than once", k.Name)
		}
		s.index[k.Name] = i
		s.kinds, s.slots = append(s.kinds, k.Kind), append(s.slots, p.lay.slot(k.Kind))
		fields = put(fields, field{name: k.Name, kind: k.Kind, ref: slotRef(s.slots[i])})
	}
	p.fields = fields
	p.steps = append(p.steps, s)
	return nil
}

func (s *keysStep) prune(u *used) { u.mark(s.e.reads...) }

func (s *keysStep) open(f *frame, next func() error) func() error {
	found := make([]bool, len(s.slots))
	return func() error {
		text := s.e.eval(f)
		if f.err != nil {
			return f.err
		}
		for i, slot := range s.slots {
			found[i], f.ext[slot] = false, value.Null(s.kinds[i])
		}
		s.pairs(text.Text(), func(key, v string) {
			if i, ok := s.index[strings.TrimSpace(key)]; ok && !found[i] {
				found[i] = true
				f.ext[s.slots[i]] = scalar.Convert(value.NewString(strings.TrimSpace(v)), s.kinds[i])
			}
		})
		return next()
	}
}

// delimited divides a text into pairs, and each at its first delimiter of keys.
func delimited(n *syntax.ParseKV) func(text string, visit func(key, value string)) {
	escape := strings.Join(n.Escapes, "")
	return func(text string, visit func(key, value string)) {
		for text != "" {
			var key, v string
			var found bool
			if key, text, found = part(text, n, escape, n.KV); !found {
				continue // a pair without a key
			}
			v, text, _ = part(text, n, escape, "")
			visit(key, v)
		}
	}
}

// part is the text up to the delimiter of pairs, or up to the one given, and
// what is behind it; found is false where the delimiter of pairs or the end came
// first. Within quotes there are no delimiters.
func part(text string, n *syntax.ParseKV, escape, until string) (part, rest string, found bool) {
	var b strings.Builder
	if trimmed := strings.TrimLeft(text, " \t"); strings.TrimSpace(n.Pair) != "" {
		text = trimmed
	}
	quoted := closing(text, n.Quotes)
	for at := 0; at < len(text); at++ {
		switch {
		case quoted != 0 && at == 0:
		case quoted != 0 && strings.IndexByte(escape, text[at]) >= 0 && at+1 < len(text):
			at++
			b.WriteByte(text[at])
		case quoted != 0 && text[at] == quoted:
			quoted = 0
		case quoted != 0:
			b.WriteByte(text[at])
		case until != "" && strings.HasPrefix(text[at:], until):
			return b.String(), text[at+len(until):], true
		case strings.HasPrefix(text[at:], n.Pair):
			return b.String(), text[at+len(n.Pair):], false
		default:
			b.WriteByte(text[at])
		}
	}
	return b.String(), "", false
}

// closing is the character that ends the quotes which the text begins with, 0
// where it begins with none.
func closing(text string, quotes []string) byte {
	for _, q := range quotes {
		if text != "" && text[0] == q[0] {
			return q[len(q)-1]
		}
	}
	return 0
}
