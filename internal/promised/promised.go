// Package promised knows which commands are documented for Azure Data Explorer only, or
// for Microsoft Fabric only. Tests hold that this program sends none of them.
package promised

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// promisedJSON lists what is documented for Azure Data Explorer only, or for Microsoft
// Fabric only, with the page of each.
//
//go:embed promised.json
var promisedJSON []byte

// promise is text that the documentation promises for one of the two services.
type promise struct {
	only, page string
	expression *regexp.Regexp
	words      []string // of a command: its first word is one of these, in lower case
	holds      string   // of other text: it holds this, in lower case
}

// promises reads the list once.
var promises = sync.OnceValue(func() []promise {
	var list struct {
		Commands []struct {
			Only, Page string
			Commands   []string
		}
		Texts []struct{ Only, Page, Expression, Holds string }
	}
	if err := json.Unmarshal(promisedJSON, &list); err != nil {
		panic(fmt.Sprintf("promised.json: %v", err))
	}
	var out []promise
	for _, c := range list.Commands {
		for _, pattern := range c.Commands {
			word, _, _ := strings.Cut(strings.TrimPrefix(pattern, "."), " ")
			out = append(out, promise{only: c.Only, page: c.Page, expression: commandExpression(pattern), words: strings.Split(word, "|")})
		}
	}
	for _, t := range list.Texts {
		out = append(out, promise{only: t.Only, page: t.Page, expression: regexp.MustCompile(t.Expression), holds: t.Holds})
	}
	return out
})

// commandExpression matches a command and what follows it.
func commandExpression(pattern string) *regexp.Regexp {
	const name = `(?:\[[^\]\n]*\]|[^\s(]+)`
	var words strings.Builder
	for i, w := range strings.Fields(strings.TrimPrefix(pattern, ".")) {
		space := `\s+`
		if i == 0 {
			space = ""
		}
		if inner, ok := strings.CutPrefix(w, "["); ok {
			fmt.Fprintf(&words, "(?:%s%s)?", space, regexp.QuoteMeta(strings.TrimSuffix(inner, "]")))
			continue
		}
		if w == "*" {
			words.WriteString(space + name)
			continue
		}
		words.WriteString(space + "(?:" + strings.ReplaceAll(regexp.QuoteMeta(w), `\|`, "|") + ")")
	}
	return regexp.MustCompile(`(?i)\A\.` + words.String() + `(?:[\s(;<|]|\z)`)
}

// space is what \s matches in an expression.
const space = "\t\n\f\r "

// commandsOf returns the text from each command on that begins a line, by the command's
// first word in lower case. A text is searched for many commands: few of them are there.
func commandsOf(text string) map[string][]string {
	out := map[string][]string{}
	for from, more := text, true; more; _, from, more = strings.Cut(from, "\n") {
		from = strings.TrimLeft(from, space)
		if command, ok := strings.CutPrefix(from, "."); ok {
			word := command
			if end := strings.IndexAny(command, space+"(;<|"); end >= 0 {
				word = command[:end]
			}
			word = strings.ToLower(word)
			out[word] = append(out[word], from)
		}
	}
	return out
}

// in says whether the text has it. The other arguments are the text in lower case and its commands.
func (p promise) in(text, lower string, commands map[string][]string) bool {
	if p.words == nil {
		return strings.Contains(lower, p.holds) && p.expression.MatchString(text)
	}
	for _, word := range p.words {
		if slices.ContainsFunc(commands[word], p.expression.MatchString) {
			return true
		}
	}
	return false
}

// OneOnly says on which page and service a query or command depends, if it is
// not documented for both Azure Data Explorer and Microsoft Fabric. "" means it is.
func OneOnly(text string) string {
	lower, commands := strings.ToLower(text), commandsOf(text)
	for _, p := range promises() {
		if p.in(text, lower, commands) {
			return fmt.Sprintf("documented for %s only (%s)", p.only, p.page)
		}
	}
	return ""
}
