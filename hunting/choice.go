package hunting

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
)

// chosen keeps the columns that a table's choice publishes, and those that its
// key is made of.
func chosen(t tvmexport.Table) string {
	c := t.Policy
	if len(c.Include) > 0 {
		kept := slices.Clone(c.Include)
		for _, column := range keyColumns(t) {
			if !slices.Contains(kept, column) {
				kept = append(kept, column)
			}
		}
		return "\n| project " + names(kept)
	}
	away := slices.DeleteFunc(slices.Clone(c.Exclude), func(column string) bool { return slices.Contains(keyColumns(t), column) })
	if len(away) == 0 {
		return ""
	}
	return "\n| project-away " + names(away)
}

// keyColumns are the columns that a table's key is made of; none where it is
// the hash of the whole row.
func keyColumns(t tvmexport.Table) []string {
	if t.Key.Column != "" {
		return []string{t.Key.Column}
	}
	return t.Key.Hashed
}

func names(columns []string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = name(c)
	}
	return strings.Join(list, ", ")
}

// without is t with columns left out of its choice that the service does not
// know: there is nothing of them to be hidden.
func (d dialect) without(t tvmexport.Table) tvmexport.Table {
	gone := func(column string) bool { return slices.Contains(d.hideless, column) }
	t.Policy.Exclude = slices.DeleteFunc(slices.Clone(t.Policy.Exclude), gone)
	return t
}

// choose sets the columns to publish, and how. All other columns of the answer
// are dropped, regardless of the query.
func (s *schema) choose(c tvmexport.ColumnPolicy) {
	if c.IsZero() {
		return
	}
	s.choice = c
	for name, known := range s.columns {
		s.setVisibility(name, known)
	}
	for _, name := range slices.Concat(c.Exclude, c.Include, c.Pseudonymise) {
		c := s.column(name)
		c.kind = cmp.Or(c.kind, "string") // a name that differs in case is found by columns that have a type
	}
}

// setVisibility notes of a column whether it is published, and how.
func (s *schema) setVisibility(name string, c *column) {
	if s.choice.IsZero() {
		return
	}
	c.internal, c.masked = s.choice.Excludes(name), s.choice.Pseudonymises(name)
}

// published are the declared columns without those that are hidden.
func (s *schema) published() []tvmexport.Column {
	if s.choice.IsZero() {
		return s.declared
	}
	return slices.DeleteFunc(slices.Clone(s.declared), func(c tvmexport.Column) bool { return s.choice.Excludes(c.Name) })
}

// hidden are the columns that a query leaves out by name.
func hidden(t tvmexport.Table) []tvmexport.Column {
	var out []tvmexport.Column
	for _, name := range t.Policy.Exclude {
		out = append(out, tvmexport.Column{Name: name})
	}
	return out
}

// mask writes the pseudonym of a value. No value has none.
func (n *normaliser) mask(c *column, v []byte) {
	if v[0] == '{' && empty(v) || string(v) == "null" {
		n.null()
		return
	}
	if string(v) == `""` {
		n.out = append(n.out, v...)
		return
	}
	if string(v) != string(c.lastValue) { // rows of one device come together
		c.lastValue = append(c.lastValue[:0], v...)
		n.plain = append(n.plain[:0], v...)
		if v[0] == '"' { // valid except for lone surrogates, which are replaced
			n.plain, _ = jsontext.AppendUnquote(n.plain[:0], v)
		}
		c.lastMask = n.masks.Append(c.lastMask[:0], n.plain)
	}
	n.out = append(n.out, '"')
	n.out = append(n.out, c.lastMask...)
	n.out = append(n.out, '"')
}
