package kql

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// parseStep takes columns out of a text by a pattern
// (https://learn.microsoft.com/kusto/query/parse-operator).
type parseStep struct {
	e       *expr
	pattern *regexp.Regexp
	columns []parsedColumn
	relaxed bool // a column that does not fit its type is null by itself
	filter  bool // parse-where
}

type parsedColumn struct {
	kind  value.Kind
	slot  int
	group int // of the pattern
}

func (b *binder) parse(p *pipeline, n *syntax.Parse, c site) error {
	e, err := b.scalar(n.X, c)
	if err != nil {
		return err
	}
	if e.kind != value.String && e.kind != value.Dynamic {
		return semantic(n.X.Pos(), "'%s' operator: argument #1 expected to be a string expression", c.op)
	}
	step := &parseStep{e: converted(p.layout, e, value.String), relaxed: n.Kind == "relaxed", filter: n.Filter}
	if step.pattern, err = parsePattern(n); err != nil {
		return semantic(n.Pos(), "'%s' operator: the pattern is not a valid regular expression: %v", c.op, err)
	}
	fields := p.fields[:len(p.fields):len(p.fields)]
	for i, part := range n.Parts {
		if part.Name == "" {
			continue
		}
		if part.Kind == value.Dynamic {
			return unsupported(part.Pos(), "'%s' operator: a column of type dynamic is not supported here.", c.op)
		}
		slot := p.lay.slot(part.Kind)
		step.columns = append(step.columns, parsedColumn{part.Kind, slot, step.pattern.SubexpIndex(columnGroup(i))})
		f := field{name: part.Name, kind: part.Kind, ref: slotRef(slot)}
		replaced := false
		for i, g := range fields {
			if g.name == f.name {
				fields = append([]field(nil), fields...)
				fields[i], replaced = f, true
			}
		}
		if !replaced {
			fields = append(fields, f)
		}
	}
	p.fields = fields
	p.steps = append(p.steps, step)
	return nil
}

// captures are the patterns of typed columns that no text may follow.
var captures = map[value.Kind]string{
	value.Int:     `([+-]?\d+)`,
	value.Long:    `([+-]?\d+)`,
	value.Real:    `([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
	value.Decimal: `([+-]?\d+(?:\.\d+)?)`,
	value.Bool:    `([Tt]rue|[Ff]alse|0|1)`,
	value.GUID:    `([0-9a-fA-F-]{32,36})`,
}

// parsePattern is the regular expression of the pattern: the whole text must
// match. A column takes as little as it can, the last one the rest; with
// kind=regex it takes as much as it can, and the flag U turns that around.
func parsePattern(n *syntax.Parse) (*regexp.Regexp, error) {
	var b strings.Builder
	flags, lazy := "s", "?"
	if n.Kind == "regex" {
		lazy = ""
	}
	for _, f := range n.Flags {
		if strings.ContainsRune("imsU", f) && !strings.ContainsRune(flags, f) {
			flags += string(f)
		}
	}
	b.WriteString("(?" + flags + ")^")
	for i, part := range n.Parts {
		last := i == len(n.Parts)-1
		switch {
		case part.Star && last:
			b.WriteString(`.*`)
		case part.Star:
			b.WriteString(`.*` + lazy)
		case part.Name == "" && n.Kind == "regex":
			b.WriteString("(?:" + part.Text + ")")
		case part.Name == "":
			b.WriteString(regexp.QuoteMeta(part.Text))
		default:
			b.WriteString(strings.Replace(capture(n, i, lazy), "(", "(?P<"+columnGroup(i)+">", 1))
		}
	}
	if n.Kind != "regex" || !endsInText(n) {
		b.WriteString("$")
	}
	return regexp.Compile(b.String())
}

// columnGroup is the name of the group of the i-th part, so that patterns may
// have groups of their own.
func columnGroup(i int) string { return fmt.Sprintf("column%d", i) }

func endsInText(n *syntax.Parse) bool {
	last := n.Parts[len(n.Parts)-1]
	return last.Name == "" && !last.Star
}

// capture is the group of the column at i.
func capture(n *syntax.Parse, i int, lazy string) string {
	part := n.Parts[i]
	last := i == len(n.Parts)-1
	if group, ok := captures[part.Kind]; ok && n.Kind == "regex" {
		return group
	}
	if !last && !n.Parts[i+1].Star && n.Parts[i+1].Name == "" || part.Kind == value.String {
		if last {
			return `(.*)`
		}
		return `(.*` + lazy + `)`
	}
	group, ok := captures[part.Kind]
	switch {
	case !ok && last:
		return `(.*)`
	case !ok:
		return `(.*` + lazy + `)`
	case n.Kind == "relaxed":
		return group + "?"
	}
	return group
}

func (s *parseStep) prune(u *used) { u.mark(s.e.reads...) }

func (s *parseStep) open(f *frame, next func() error) func() error {
	return func() error {
		text := s.e.eval(f).Text()
		if f.err != nil {
			return f.err
		}
		if !s.match(f, text) {
			if s.filter {
				return nil
			}
			for _, c := range s.columns {
				f.ext[c.slot] = value.Null(c.kind)
			}
		}
		return next()
	}
}

// match puts the columns into their slots; false if the text does not match or,
// unless relaxed, a column does not fit its type.
func (s *parseStep) match(f *frame, text string) bool {
	groups := s.pattern.FindStringSubmatchIndex(text)
	if groups == nil {
		return false
	}
	for _, c := range s.columns {
		v := value.Null(c.kind)
		if from := groups[2*c.group]; from >= 0 {
			found := text[from:groups[2*c.group+1]]
			if c.kind == value.String {
				v = value.NewString(found)
			} else {
				v = scalar.Convert(value.NewString(strings.TrimSpace(found)), c.kind)
			}
		}
		if v.IsNull() && !s.relaxed {
			return false
		}
		f.ext[c.slot] = v
	}
	return true
}
