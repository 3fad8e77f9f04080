package kql

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// SameFunction says whether two stored functions do the same, each given as its
// parameters and its body. Comments, white space and the messages of assert do
// not count, so that versions of a program that word them differently leave each
// other's functions alone. Every other token counts, also the form of a literal.
func SameFunction(a, b string) bool {
	if a == b {
		return true
	}
	mine, ok := scan(a)
	theirs, okToo := scan(b)
	return ok && okToo && slices.Equal(withoutMessages(plainParameters(mine)), withoutMessages(plainParameters(theirs)))
}

// plainParameters removes the brackets and quotes of declared names that do not
// need them in a declaration: (['to']: datetime) is (to: datetime). The service
// may show parameters in either form.
func plainParameters(list []token) []token {
	out := list[:0:0]
	for i := 0; i < len(list); i++ {
		if name := quotedParameter(list[i:]); name != "" && i > 0 && (list[i-1].isMark("(") || list[i-1].isMark(",")) {
			out = append(out, token{wordToken, name})
			i += 2
			continue
		}
		out = append(out, list[i])
	}
	return out
}

// quotedParameter is the name of a declaration ['name']: that list begins with;
// "" if it begins with none, or with a name that needs its quotes.
func quotedParameter(list []token) string {
	if len(list) < 4 || !list[0].isMark("[") || list[1].kind != literalToken || !list[2].isMark("]") || !list[3].isMark(":") {
		return ""
	}
	text := list[1].text
	name := strings.Trim(text, text[:1])
	if (text[0] != '\'' && text[0] != '"') || tvmexport.CheckIdentifier("name", name) != nil {
		return ""
	}
	return name
}

// withoutMessages puts one token in the place of the message of each assert: its
// second argument, if that consists of string literals.
func withoutMessages(list []token) []token {
	type call struct {
		asserts bool // the parenthesis is that of an assert
		closes  string
		commas  int
		message int // where in out the newest argument begins
	}
	closing := map[string]string{"(": ")", "[": "]", "{": "}"}
	var open []call
	out := list[:0:0]
	for i, t := range list {
		var top *call
		if len(open) > 0 {
			top = &open[len(open)-1]
		}
		switch {
		case t.kind != markToken:
		case closing[t.text] != "":
			asserts := t.text == "(" && i > 0 && list[i-1] == token{wordToken, "assert"}
			open = append(open, call{asserts: asserts, closes: closing[t.text]})
		case top == nil:
		case t.text == ",":
			top.commas++
			top.message = len(out) + 1
		case t.text == top.closes:
			if top.asserts && top.commas == 1 && areLiterals(out[top.message:]) {
				out = append(out[:top.message], token{messageToken, ""})
			}
			open = open[:len(open)-1]
		}
		out = append(out, t)
	}
	return out
}

func areLiterals(list []token) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(t token) bool { return t.kind != literalToken })
}
