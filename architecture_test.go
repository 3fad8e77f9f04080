package tvmexport_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func architecture(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

var (
	nodeLine = regexp.MustCompile(`^(\w+)\["(.+)"\]$`)
	edgeLine = regexp.MustCompile(`^(\w+) --> (\w+)$`)
)

// picture reads the Mermaid diagram: the package patterns of each node, and the
// edges, each as "from --> to".
func picture(t *testing.T) (nodes map[string]string, edges map[string]bool) {
	t.Helper()
	_, rest, ok := strings.Cut(architecture(t), "```mermaid\nflowchart TD\n")
	diagram, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/architecture.md has no Mermaid diagram")
	}
	nodes, edges = map[string]string{}, map[string]bool{} // nodes: by pattern
	known := map[string]bool{}
	for line := range strings.Lines(diagram) {
		line = strings.TrimSpace(line)
		if m := nodeLine.FindStringSubmatch(line); m != nil {
			known[m[1]] = true
			for pattern := range strings.SplitSeq(m[2], "<br>") {
				nodes[pattern] = m[1]
			}
		} else if m := edgeLine.FindStringSubmatch(line); m != nil && known[m[1]] && known[m[2]] {
			edges[line] = true
		} else {
			t.Errorf("the diagram has a line that is neither a node nor an edge between nodes: %s", line)
		}
	}
	return nodes, edges
}

// nodeOf is the node with the longest pattern that matches a package; "" if none does.
func nodeOf(nodes map[string]string, name string) string {
	best := ""
	for pattern := range nodes {
		prefix, below := strings.CutSuffix(pattern, "/...")
		if name != prefix && !(below && strings.HasPrefix(name, prefix+"/")) && (name != "" || pattern != "tvmexport") {
			continue
		}
		if len(pattern) > len(best) {
			best = pattern
		}
	}
	return nodes[best]
}

// The diagram in docs/architecture.md shows each package and each import, and nothing else.
func TestPictureMatchesImports(t *testing.T) {
	nodes, drawn := picture(t)
	imports := map[string]bool{}
	used := map[string]bool{}
	for _, p := range packages(t) {
		from, _ := local(p.ImportPath)
		if strings.HasPrefix(from, "test/") || len(p.GoFiles) == 0 {
			continue
		}
		a := nodeOf(nodes, from)
		if a == "" {
			t.Errorf("the diagram does not show the package %s", p.ImportPath)
			continue
		}
		used[a] = true
		for _, imported := range p.Imports {
			if to, ours := local(imported); ours {
				if b := nodeOf(nodes, to); a != b {
					imports[a+" --> "+b] = true
				}
			}
		}
	}
	for _, e := range slices.Sorted(maps.Keys(imports)) {
		if !drawn[e] {
			t.Errorf("the diagram lacks %s", e)
		}
	}
	for _, e := range slices.Sorted(maps.Keys(drawn)) {
		if !imports[e] {
			t.Errorf("the diagram has %s, which no import shows", e)
		}
	}
	for _, n := range nodes {
		if !used[n] {
			t.Errorf("the diagram has the node %s, which is no package", n)
		}
	}
}

// Every file of the engine has its place on the page, and the page names no file
// that does not exist.
func TestPageNamesTheFilesOfTheEngine(t *testing.T) {
	page := architecture(t)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z_]+\\.go)`").FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
	}
	files, err := filepath.Glob("engine/*.go")
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{"arrows_test.go": true, "architecture_test.go": true}
	for _, f := range files {
		name := filepath.Base(f)
		here[name] = true
		if !strings.HasSuffix(name, "_test.go") && name != "doc.go" && !named[name] {
			t.Errorf("docs/architecture.md does not name engine/%s", name)
		}
	}
	for name := range named {
		if !here[name] {
			t.Errorf("docs/architecture.md names %s, which engine/ does not have", name)
		}
	}
}

// The root package is read by its file list: nouns and contracts in few files.
func TestRootPackageHasFewFiles(t *testing.T) {
	const most = 16
	for _, p := range packages(t) {
		if p.ImportPath == module && len(p.GoFiles) > most {
			t.Errorf("the root package has %d files, more than %d: %v", len(p.GoFiles), most, p.GoFiles)
		}
	}
}

// The tables of contracts name each interface of the root package that sources and
// destinations implement, with the methods that it declares.
func TestPageShowsTheContracts(t *testing.T) {
	page := architecture(t)
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.+?) \\| ")
	shown := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		shown[m[1]] = m[2]
	}
	others := []string{"RowWriter", "Wrapper"} // which are no part of a source or a destination
	for _, d := range declarations(t) {
		if d.folder != "." || d.name == "" || slices.Contains(others, d.name) || len(d.methods) == 0 {
			continue
		}
		if want := "`" + strings.Join(d.methods, "`, `") + "`"; shown[d.name] != want {
			t.Errorf("docs/architecture.md shows the methods %s of %s, want %s", shown[d.name], d.name, want)
		}
		delete(shown, d.name)
	}
	for name := range shown {
		t.Errorf("docs/architecture.md shows %s, which the root package does not declare", name)
	}
}
