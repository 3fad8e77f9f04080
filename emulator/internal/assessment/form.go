package assessment

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// form is how the rows of a data set look, where they differ from most.
type form struct {
	pascal  bool     // pages have the names of files
	iso     bool     // times are ISO 8601 with Z
	zoned   []string // columns whose times end in +00:00
	omitted []string // arrays that a file leaves out when they are empty
}

// member is a column in one of the two row forms.
type member struct {
	name  string // with quotes and colon
	kind  value.Kind
	write func(b []byte, v value.Value) []byte
	empty bool // "" is written as text, not as nothing
	omit  bool // an empty array is nothing
}

// rowForm writes the rows of a data set. It keeps what it wrote last, so it is for one
// goroutine.
type rowForm struct {
	members []member
	nulls   bool // nothing is written as null; otherwise it is left out
	written []written
}

// written is a member as it was written last. Most members of a row are those of the row
// before: they are about the same device or program.
type written struct {
	v     value.Value
	text  []byte // empty if the member is left out
	valid bool
}

// kept are texts that a row has even if they are empty.
var kept = []string{"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "ConfigurationSubcategory", "Path", "Thumbprint"}

// newRowForm is the form of files, or of pages.
func newRowForm(f form, columns []value.Column, files bool) *rowForm {
	out := &rowForm{nulls: !files, written: make([]written, len(columns))}
	for _, c := range columns {
		name := c.Name
		if !files && !f.pascal {
			name = camel(name)
		}
		m := member{
			name: `"` + name + `":`, kind: c.Kind,
			empty: slices.Contains(kept, c.Name), omit: files && slices.Contains(f.omitted, c.Name),
		}
		m.write = func(b []byte, v value.Value) []byte { return v.AppendJSON(b) }
		if c.Kind == value.DateTime {
			m.write = plainTime
			switch {
			case slices.Contains(f.zoned, c.Name):
				m.write = zonedTime
			case f.iso:
				m.write = isoTime
			}
		}
		out.members = append(out.members, m)
	}
	return out
}

// camel is a name in camel case: OSPlatform is osPlatform.
func camel(name string) string {
	runes := []rune(name)
	n := 0
	for n < len(runes) && unicode.IsUpper(runes[n]) {
		n++
	}
	if n > 1 && n < len(runes) {
		n--
	}
	return strings.ToLower(string(runes[:n])) + string(runes[n:])
}

// append writes a row as one JSON object.
func (f *rowForm) append(b []byte, row []value.Value) []byte {
	b = append(b, '{')
	first := true
	for i := range f.members {
		w := &f.written[i]
		if !w.valid || w.v != row[i] {
			w.text = f.member(w.text[:0], i, row[i])
			w.v, w.valid = row[i], true
		}
		if len(w.text) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, w.text...)
	}
	return append(b, '}')
}

// member writes a member of a row; nothing if it is left out.
func (f *rowForm) member(b []byte, i int, v value.Value) []byte {
	m := &f.members[i]
	nothing := v.IsNull() || m.kind == value.String && v.Text() == "" && !m.empty
	if !nothing && m.omit {
		n, array := v.Len()
		nothing = array && n == 0
	}
	switch {
	case !nothing:
		return m.write(append(b, m.name...), v)
	case f.nulls:
		return append(append(b, m.name...), "null"...)
	default:
		return b
	}
}

// fraction is the layout of a time's fraction: none, three or seven digits.
func fraction(ticks int64) string {
	switch {
	case ticks%value.TicksPerSecond == 0:
		return ""
	case ticks%value.TicksPerMillisecond == 0:
		return ".000"
	default:
		return ".0000000"
	}
}

// plainTime is a time in UTC without a zone.
func plainTime(b []byte, v value.Value) []byte {
	return v.Time().AppendFormat(append(b, '"'), "2006-01-02 15:04:05"+fraction(v.Ticks())+`"`)
}

func isoTime(b []byte, v value.Value) []byte {
	return v.Time().AppendFormat(append(b, '"'), "2006-01-02T15:04:05"+fraction(v.Ticks())+`Z"`)
}

func zonedTime(b []byte, v value.Value) []byte {
	return v.Time().AppendFormat(append(b, '"'), "2006-01-02T15:04:05"+fraction(v.Ticks())+`+00:00"`)
}
