package tvmexport_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The limits of the shape of code.
const (
	mostMethods    = 30 // of a type, declared or promoted
	mostParameters = 5  // of a function
)

// wideTypes are the types that have more methods, with what they may have at
// most, rounded up to tens, and the reason. The numbers may only fall.
var wideTypes = map[string]struct {
	most   int
	reason string
}{
	"emulator/internal/kql.binder":               {130, "one method for each form of a query that it binds"},
	"emulator/internal/kql/syntax.parser":        {90, "one method for each rule of the grammar"},
	"emulator/internal/kql/syntax.dynamicParser": {90, "embeds the parser, for one more rule"},
	"cmd/tvmexport.process":                      {60, "one method for each command"},
}

// listedPackage is a package as go list describes it.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard                bool
}

// checkedPackages are the packages of the module, type-checked without the
// bodies of functions. Dependencies are read from compiled packages.
func checkedPackages(t *testing.T) map[string]*types.Package {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard", "./...")
	var said bytes.Buffer
	cmd.Stderr = &said
	list, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, said.String())
	}
	exports := map[string]string{}
	var ours []listedPackage
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	set := token.NewFileSet()
	compiled := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no compiled package %s", path)
		}
		return os.Open(exports[path])
	})
	out := map[string]*types.Package{}
	for _, p := range ours {
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		// Without bodies, imports seem to be unused: the compiler reports real errors.
		conf := types.Config{Importer: compiled, IgnoreFuncBodies: true, FakeImportC: true, Error: func(error) {}}
		checked, _ := conf.Check(p.ImportPath, set, files, nil)
		out[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = checked
	}
	return out
}

// methodsOf counts the methods of a type and of a pointer to it, also those that
// embedded fields promote. It counts only methods declared in packages whose path
// begins with ours: we cannot divide a standard type such as time.Time.
func methodsOf(t types.Type, ours string) (n int) {
	if !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	for m := range types.NewMethodSet(t).Methods() {
		if p := m.Obj().Pkg(); p != nil && strings.HasPrefix(p.Path(), ours) {
			n++
		}
	}
	return n
}

// TestMethodsOfTypes: no type has too many methods, declared or promoted.
func TestMethodsOfTypes(t *testing.T) {
	packages := checkedPackages(t)
	if len(packages) < 30 || packages["kusto"] == nil || packages["kusto"].Scope().Lookup("Client") == nil {
		t.Fatalf("%d packages were read, and kusto.Client must be among them", len(packages))
	}
	unused := map[string]bool{}
	for name := range wideTypes {
		unused[name] = true
	}
	for folder, p := range packages {
		for _, name := range p.Scope().Names() {
			o, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || o.IsAlias() {
				continue
			}
			full := folder + "." + name
			n := methodsOf(o.Type(), module)
			if most := max(mostMethods, wideTypes[full].most); n > most {
				t.Errorf("%s has %d methods, more than %d: divide it by duty", full, n, most)
			}
			if n > mostMethods {
				delete(unused, full)
			}
		}
	}
	for name := range unused {
		t.Errorf("wideTypes lists %s, which has not more than %d methods", name, mostMethods)
	}
}

// TestMethodsOfPromotes: promoted methods count, and hidden ones count once.
func TestMethodsOfPromotes(t *testing.T) {
	const text = `package p
type A struct{}
func (A) One() {}
func (*A) Two() {}
type B struct{ *A }
func (B) One() {}
func (B) Three() {}
type C interface{ One(); D }
type D interface{ Two() }
type E struct{ C }`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&types.Config{}).Check("p", set, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"A": 2, "B": 3, "C": 2, "D": 1, "E": 2} {
		if got := methodsOf(p.Scope().Lookup(name).Type(), "p"); got != want {
			t.Errorf("%s has %d methods, want %d", name, got, want)
		}
	}
}

// TestMethodsInTests: no type of a test declares too many methods.
func TestMethodsInTests(t *testing.T) {
	_, files := parsed(t)
	declared := map[string]int{}
	for name, file := range files {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			of := f.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok {
				declared[filepath.Dir(name)+"."+id.Name]++
			}
		}
	}
	if len(declared) < 50 {
		t.Errorf("only %d types with methods were found", len(declared))
	}
	for name, n := range declared {
		if n > mostMethods {
			t.Errorf("%s of the tests has %d methods, more than %d: divide it by duty", name, n, mostMethods)
		}
	}
}

// TestParametersOfFunctions: no function has too many parameters; neither has a
// function literal, a type of functions or a method of an interface.
func TestParametersOfFunctions(t *testing.T) {
	set, files := parsed(t)
	seen := 0
	for name, file := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, d := range file.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				f, ok := n.(*ast.FuncType)
				if !ok {
					return true
				}
				seen++
				if has := f.Params.NumFields(); has > mostParameters {
					t.Errorf("%s: %s has %d parameters, more than %d: some of them belong together as a type", set.Position(f.Pos()), nameOf(d), has, mostParameters)
				}
				return true
			})
		}
	}
	if seen < 5000 {
		t.Errorf("only %d functions were looked at", seen)
	}
}

// nameOf is the name of a declared function, or of the first of other names.
func nameOf(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		switch s := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return s.Name.Name
		case *ast.ValueSpec:
			return s.Names[0].Name
		}
	}
	return ""
}
