package tvmexport_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// codePath is a path of the repository in code style.
var codePath = regexp.MustCompile("`((?:emulator|cmd|docs|test)(?:/[\\w.-]+)*)`")

// TestEmulatorArchitecturePaths follows the paths of the page on the emulator's
// architecture, and finds each package of the emulator in its table.
func TestEmulatorArchitecturePaths(t *testing.T) {
	const name = "docs/emulator-architecture.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range codePath.FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("%s names %s, which is not there", name, m[1])
		}
	}
	if len(named) < 40 {
		t.Errorf("%s names %d paths only", name, len(named))
	}
	for _, p := range packages(t) {
		dir, ok := local(p.ImportPath)
		if !ok || dir != "emulator" && !strings.HasPrefix(dir, "emulator/") || strings.HasSuffix(dir, "test") && dir != "emulator/emulatortest" {
			continue
		}
		if !named[dir] {
			t.Errorf("%s does not name the package %s", name, dir)
		}
	}
	for _, from := range []string{"docs/emulator.md", "emulator/README.md"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "emulator-architecture.md") {
			t.Errorf("%s does not link %s", from, name)
		}
	}
}

// TestEmulatorClientExamples compares the examples of docs/emulator.md with the files
// that run: a block is the file, or, in a language whose files need more around it,
// consists of lines of it in their order.
func TestEmulatorClientExamples(t *testing.T) {
	text, err := os.ReadFile("docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, clients, _ := strings.Cut(string(text), "\n## Clients\n")
	clients, _, _ = strings.Cut(clients, "\n## ")
	examples := regexp.MustCompile("(?s)\n\\*\\*([^*]+)\\*\\*(.*?)\n```\\w+\n(.*?)```\n").FindAllStringSubmatch(clients, -1)
	file := regexp.MustCompile("\\(`([^`]+)`\\)")
	compared := 0
	for _, m := range examples {
		if lines := strings.Count(m[3], "\n"); lines > 18 {
			t.Errorf("%s: %d lines are no short example", m[1], lines)
		}
		at := file.FindStringSubmatch(m[2])
		if at == nil {
			if !strings.Contains(m[2], "not run in CI") {
				t.Errorf("%s: the text names no file and does not say that it is not run in CI", m[1])
			}
			continue
		}
		source, err := os.ReadFile(at[1])
		if err != nil {
			t.Error(err)
			continue
		}
		compared++
		if strings.HasSuffix(at[1], ".go") || strings.HasSuffix(at[1], ".java") {
			rest := string(source)
			for line := range strings.Lines(m[3]) {
				_, after, found := strings.Cut(rest, strings.TrimSpace(line))
				if !found {
					t.Errorf("%s: %s does not have the line %q there", m[1], at[1], strings.TrimSpace(line))
					break
				}
				rest = after
			}
		} else if m[3] != string(source) {
			t.Errorf("%s: the example is not what %s has", m[1], at[1])
		}
	}
	if len(examples) != 6 || compared != 5 {
		t.Errorf("%d examples of clients, %d with a file; want 6 and 5", len(examples), compared)
	}
}
