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
