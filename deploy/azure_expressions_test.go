package deploy_test

import (
	"fmt"
	"strings"
	"testing"
)

// call is a function call in an expression of a template. Arguments that are no literal texts are "".
type call struct {
	function string
	texts    []string
}

// expression is a parser of the expression language of Azure Resource Manager
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions).
type expression struct {
	text  string
	calls []call
}

// callsOf parses a value of a template and returns its function calls. Values that do not begin with [ are no expressions;
// [[ is an escaped [.
func callsOf(value string) ([]call, error) {
	if !strings.HasPrefix(value, "[") || strings.HasPrefix(value, "[[") {
		return nil, nil
	}
	if !strings.HasSuffix(value, "]") {
		return nil, fmt.Errorf("the expression %s has no end", value)
	}
	e := &expression{text: value[1 : len(value)-1]}
	if _, err := e.value(); err != nil {
		return nil, fmt.Errorf("%s: %w", value, err)
	}
	if e.space(); e.text != "" {
		return nil, fmt.Errorf("%s: %q is too much", value, e.text)
	}
	return e.calls, nil
}

func (e *expression) space() { e.text = strings.TrimLeft(e.text, " ") }

func (e *expression) take(prefix string) bool {
	e.space()
	rest, ok := strings.CutPrefix(e.text, prefix)
	if ok {
		e.text = rest
	}
	return ok
}

// value reads a literal, or a call with what follows it: properties and indexes. It returns the text of a literal text.
func (e *expression) value() (string, error) {
	if e.take("'") {
		var text strings.Builder
		for {
			before, after, ok := strings.Cut(e.text, "'")
			if !ok {
				return "", fmt.Errorf("a text has no end")
			}
			text.WriteString(before)
			e.text = after
			if rest, quote := strings.CutPrefix(after, "'"); quote {
				text.WriteByte('\'')
				e.text = rest
				continue
			}
			return text.String(), nil
		}
	}
	name := e.word()
	if name == "" {
		return "", fmt.Errorf("there is no value at %q", e.text)
	}
	if strings.Trim(name, "0123456789") == "" {
		return "", nil
	}
	if !e.take("(") {
		return "", fmt.Errorf("%s is no call", name)
	}
	c := call{function: name}
	for more := !e.take(")"); more; {
		text, err := e.value()
		if err != nil {
			return "", err
		}
		c.texts = append(c.texts, text)
		if more = e.take(","); !more && !e.take(")") {
			return "", fmt.Errorf("the arguments of %s do not end", name)
		}
	}
	e.calls = append(e.calls, c)
	return "", e.members()
}

// members reads the properties and indexes behind a call.
func (e *expression) members() error {
	for {
		switch {
		case e.take("."):
			if e.word() == "" {
				return fmt.Errorf("a property has no name")
			}
		case e.take("["):
			if _, err := e.value(); err != nil {
				return err
			}
			if !e.take("]") {
				return fmt.Errorf("an index does not end")
			}
		default:
			return nil
		}
	}
}

func (e *expression) word() string {
	e.space()
	n := 0
	for n < len(e.text) && (e.text[n] >= '0' && e.text[n] <= '9' || e.text[n] >= 'a' && e.text[n] <= 'z' || e.text[n] >= 'A' && e.text[n] <= 'Z') {
		n++
	}
	word := e.text[:n]
	e.text = e.text[n:]
	return word
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                               "",
		"[[escaped]":                          "",
		"[f('a''b', 1).c.d[g('x')]]":          "f[a'b ] g[x]",
		"[resourceId('A/b', variables('n'))]": "variables[n] resourceId[A/b ]",
		"[f(":                                 "error",
		"[f('a]":                              "error",
		"[f('a') g('b')]":                     "error",
		"[f('a',)]":                           "error",
		"[x]":                                 "error",
		"[f('a').]":                           "error",
		"[f('a')[0]":                          "error",
		"[not(empty(parameters('a')))":        "error",
	} {
		calls, err := callsOf(text)
		var got []string
		for _, c := range calls {
			got = append(got, c.function+fmt.Sprint(c.texts))
		}
		if s := strings.Join(got, " "); err != nil && want != "error" || err == nil && s != want {
			t.Errorf("%s: %s, %v; want %s", text, s, err, want)
		}
	}
}
