package tvmexport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The limits of interfaces: of the methods that one declares, and of those of a
// composition.
const (
	mostDeclared = 8
	mostComposed = 20
)

// declaration is an interface type in the source.
type declaration struct {
	name     string // "" if it has none
	folder   string
	at       token.Position
	methods  []string
	embedded []string // names, with the package where there is one
}

// parsed are the files of the module, by name, except those below some folders.
func parsed(t *testing.T, without ...string) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	files := maps.Clone(all.files)
	maps.DeleteFunc(files, func(name string, _ *ast.File) bool {
		return slices.ContainsFunc(without, func(folder string) bool { return strings.HasPrefix(name, folder+"/") })
	})
	return all.set, files
}

// source is what parsed gives parts of.
type source struct {
	set   *token.FileSet
	files map[string]*ast.File
}

// sources parses all files of the module, once for all tests. No test changes a file.
var sources = sync.OnceValues(func() (source, error) {
	all := source{token.NewFileSet(), map[string]*ast.File{}}
	return all, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "dist", "node_modules", ".venv", "testdata"}, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		all.files[filepath.ToSlash(name)], err = parser.ParseFile(all.set, name, nil, parser.SkipObjectResolution)
		return err
	})
})

// declarations are all interface types, also those without a name.
func declarations(t *testing.T) []declaration {
	t.Helper()
	set, files := parsed(t, "emulator")
	var out []declaration
	for name, file := range files {
		named := map[*ast.InterfaceType]string{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if i, ok := n.Type.(*ast.InterfaceType); ok {
					named[i] = n.Name.Name
				}
			case *ast.InterfaceType:
				d := declaration{name: named[n], folder: filepath.Dir(name), at: set.Position(n.Pos())}
				for _, f := range n.Methods.List {
					switch e := f.Type.(type) {
					case *ast.FuncType:
						for _, m := range f.Names {
							d.methods = append(d.methods, m.Name)
						}
					case *ast.Ident:
						d.embedded = append(d.embedded, e.Name)
					case *ast.SelectorExpr:
						d.embedded = append(d.embedded, e.X.(*ast.Ident).Name+"."+e.Sel.Name)
					}
				}
				out = append(out, d)
			}
			return true
		})
	}
	return out
}

// composed adds the methods of an interface and of those that it embeds to a
// set. It reports an embedded interface that is not declared in this module.
func composed(t *testing.T, all []declaration, d declaration, into map[string]bool) {
	t.Helper()
	for _, m := range d.methods {
		into[m] = true
	}
	for _, name := range d.embedded {
		folder, own := d.folder, name
		if pkg, rest, ok := strings.Cut(name, "."); ok {
			own = rest
			folder = pkg
			if pkg == "tvmexport" {
				folder = "."
			}
		}
		i := slices.IndexFunc(all, func(o declaration) bool {
			return o.name == own && (o.folder == folder || folder != "." && filepath.Base(o.folder) == folder)
		})
		switch {
		case i >= 0:
			composed(t, all, all[i], into)
		case name == "error" || name == "io.Reader" || name == "io.Writer" || name == "io.Closer" || name == "io.WriteCloser" || name == "testing.TB":
			into[name] = true
		default:
			t.Errorf("%s embeds %s, whose methods this test does not know", d.at, name)
		}
	}
}

// Interfaces are small: no one declares more than 8 methods, and a composition
// has at most 20.
func TestInterfacesAreSmall(t *testing.T) {
	all := declarations(t)
	if len(all) < 10 {
		t.Fatalf("only %d interfaces were found", len(all))
	}
	for _, d := range all {
		if n := len(d.methods); n > mostDeclared {
			t.Errorf("%s: the interface %s declares %d methods, more than %d", d.at, d.name, n, mostDeclared)
		}
		whole := map[string]bool{}
		composed(t, all, d, whole)
		if n := len(whole); n > mostComposed {
			t.Errorf("%s: the interface %s has %d methods, more than %d", d.at, d.name, n, mostComposed)
		}
		if d.folder == "." && d.name == "CompleteDestination" {
			t.Logf("the destination as composed for the engine has %d methods", len(whole))
		}
	}
}
