// Package wording_test keeps documentation, comments and messages in plain
// English: none of them contains a word that a rule avoids.
package wording_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// markup matches the tags and the actions of an HTML template.
var markup = regexp.MustCompile(`(?s)\{\{.*?\}\}|<.*?>`)

// place is a text with its position.
type place struct {
	file string
	line int
	text string
}

func TestWording(t *testing.T) {
	for _, p := range places(t) {
		hits(p.text, func(match, better string) {
			t.Errorf("%s:%d: %q: better: %s", p.file, p.line, match, better)
		})
	}
}

// TestRules checks that rules match what they should, and nothing else.
func TestRules(t *testing.T) {
	for text, want := range map[string]int{
		"the step that mends it":             1,
		"recommend a commendable amendment":  0,
		"it stands in the table":             1,
		"Raw stands for the function":        0,
		"the clock stands still":             0,
		"a row lies in one window":           1,
		"files with gzip":                    0,
		"the lease is over":                  1,
		"the service is over https":          0,
		"tells one run apart":                1,
		"an extent meets all conditions":     0,
		"as a user meets it":                 1,
		"rows are told of it, and made anew": 2,
	} {
		if got := hits(text, func(string, string) {}); got != want {
			t.Errorf("%q: %d hits, want %d", text, got, want)
		}
	}
}

// places returns the texts of all Markdown, Go, HTML and YAML files.
func places(t *testing.T) []place {
	t.Helper()
	var out []place
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(name, ".") || rel == "internal/wording" ||
				slices.Contains([]string{"node_modules", "testdata", "bin", "dist"}, name) {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".md", ".html", ".yaml":
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if filepath.Ext(name) == ".html" {
				text = markup.ReplaceAll(text, []byte(" "))
			}
			out = append(out, paragraphs(rel, text)...)
		case ".go":
			list, err := goTexts(path, rel)
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// paragraphs splits a text at blank lines and joins the lines between them.
func paragraphs(file string, text []byte) []place {
	var out []place
	var lines []string
	start := 1
	flush := func(next int) {
		if len(lines) > 0 {
			out = append(out, place{file, start, strings.Join(lines, " ")})
		}
		lines, start = nil, next
	}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(strings.TrimLeft(line, " #"))
		if line == "" {
			flush(i + 2)
			continue
		}
		lines = append(lines, line)
	}
	flush(0)
	return out
}

// goTexts returns the comments and string literals of a Go file, without
// struct tags.
func goTexts(path, rel string) ([]place, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out []place
	for _, g := range f.Comments {
		text := strings.Join(strings.Fields(g.Text()), " ")
		out = append(out, place{rel, set.Position(g.Pos()).Line, text})
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			return false // JSON names are contracts
		}
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				out = append(out, place{rel, set.Position(l.Pos()).Line, strings.Join(strings.Fields(text), " ")})
			}
		}
		return true
	})
	return out, nil
}
