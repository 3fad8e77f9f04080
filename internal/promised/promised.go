// Package promised knows which commands are documented for Azure Data Explorer only, or
// for Microsoft Fabric only. Tests hold that this program sends none of them.
package promised

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
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
}

// promises reads the list once.
var promises = sync.OnceValue(func() []promise {
	var list struct {
		Commands []struct {
			Only, Page string
			Commands   []string
		}
		Texts []struct{ Only, Page, Expression string }
	}
	if err := json.Unmarshal(promisedJSON, &list); err != nil {
		panic(fmt.Sprintf("promised.json: %v", err))
	}
	var out []promise
	for _, c := range list.Commands {
		for _, pattern := range c.Commands {
			out = append(out, promise{c.Only, c.Page, commandExpression(pattern)})
		}
	}
	for _, t := range list.Texts {
		out = append(out, promise{t.Only, t.Page, regexp.MustCompile(t.Expression)})
	}
	return out
})

// commandExpression matches a command at the beginning of a line, alone or in a script.
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
	return regexp.MustCompile(`(?im)^\s*\.` + words.String() + `(?:[\s(;<|]|$)`)
}

// OneOnly says on which page and service a query or command depends, if it is
// not documented for both Azure Data Explorer and Microsoft Fabric. "" means it is.
func OneOnly(text string) string {
	for _, p := range promises() {
		if p.expression.MatchString(text) {
			return fmt.Sprintf("documented for %s only (%s)", p.only, p.page)
		}
	}
	return ""
}
