package tvmexport_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSiteShowsEveryPage finds each page of docs in the navigation of the documentation site,
// which make docs builds. Commands and decisions are listed by their folders.
func TestSiteShowsEveryPage(t *testing.T) {
	text, err := os.ReadFile("mkdocs.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, nav, ok := strings.Cut(string(text), "\nnav:\n")
	if !ok {
		t.Fatal("mkdocs.yml has no navigation")
	}
	listed, folders := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(nav) {
		entry := strings.TrimPrefix(strings.TrimSpace(line), "- ")
		if folder, whole := strings.CutSuffix(entry, "/*"); whole {
			folders[folder] = true
		}
		listed[entry] = true
	}
	pages := 0
	err = filepath.WalkDir("docs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		pages++
		name := strings.TrimPrefix(filepath.ToSlash(path), "docs/")
		if !listed[name] && !folders[strings.TrimSuffix(name, "/"+filepath.Base(path))] {
			t.Errorf("docs/%s is not in the navigation of mkdocs.yml; add a line where readers look for it", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 60 {
		t.Errorf("docs has %d pages only", pages)
	}
}
