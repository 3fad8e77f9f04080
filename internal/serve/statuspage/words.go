package statuspage

import (
	"html/template"
	"strings"
)

// words is a name that may be wrapped between its words: before a capital letter that
// follows another letter.
func words(name string) template.HTML {
	var out strings.Builder
	start := 0
	for i := 1; i < len(name); i++ {
		if isUpper(name[i]) && (!isUpper(name[i-1]) || i+1 < len(name) && !isUpper(name[i+1])) {
			out.WriteString(template.HTMLEscapeString(name[start:i]) + "<wbr>")
			start = i
		}
	}
	return template.HTML(out.String() + template.HTMLEscapeString(name[start:])) // each part is escaped
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
