package tvmexport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docLink matches [Name] and [Type.Member], as doc comments link them.
var docLink = regexp.MustCompile(`(?:^|[\s(])\[([A-Z]\w*)(?:\.([A-Z]\w*))?\](?:$|[\s),.:;'])`)

// TestDocLinks follows the links in doc comments to names of the same package.
func TestDocLinks(t *testing.T) {
	followed := 0
	for _, p := range packages(t) {
		dir, _ := local(p.ImportPath)
		if dir == "" {
			dir = "."
		}
		names, comments := declared(t, dir)
		for at, text := range comments {
			for _, m := range docLink.FindAllStringSubmatch(text, -1) {
				followed++
				name := strings.TrimSuffix(m[1]+"."+m[2], ".")
				if !names[name] && !(m[2] != "" && names[m[1]+".*"]) {
					t.Errorf("%s: the comment links [%s], which the package does not declare", at, name)
				}
			}
		}
	}
	if followed < 15 {
		t.Errorf("only %d links were found", followed)
	}
}

// declared are the names of a package that a link can name, Type.Member among
// them, and the comments of its files by position.
func declared(t *testing.T, dir string) (names map[string]bool, comments map[string]string) {
	t.Helper()
	names, comments = map[string]bool{}, map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, e := range files {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range file.Comments {
			comments[set.Position(c.Pos()).String()] = c.Text()
		}
		for _, d := range file.Decls {
			declare(names, d)
		}
	}
	return names, comments
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if generic, ok := receiver.(*ast.IndexExpr); ok {
				receiver = generic.X
			}
			if id, ok := receiver.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		names[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				declareMembers(names, s)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			}
		}
	}
}

// declareMembers declares the fields of a struct and the methods of an interface.
func declareMembers(names map[string]bool, s *ast.TypeSpec) {
	var fields *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			names[s.Name.Name+"."+n.Name] = true
		}
		if len(f.Names) == 0 { // embedded: a link to a promoted name is not checked further
			names[s.Name.Name+".*"] = true
		}
	}
}
