package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

// parts are the types of package command that are parts of commands.
var parts = map[string]bool{"Statement": true, "TableDef": true, "Setting": true, "TagFilter": true}

// Each type of command has one handler.
func TestEachCommandHasAHandler(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "command/types.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := newCommands()
	handled := map[string]bool{}
	for of := range all {
		if of.Kind() != reflect.Pointer {
			t.Errorf("a handler is for %v, which is no pointer", of)
			continue
		}
		handled[of.Elem().Name()] = true
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		d, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if _, ok := d.Type.(*ast.StructType); ok && !parts[d.Name.Name] {
			declared++
			if !handled[d.Name.Name] {
				t.Errorf("command.%s has no handler", d.Name.Name)
			}
		}
		return false
	})
	if declared != len(all) {
		t.Errorf("there are %d types of commands and %d handlers", declared, len(all))
	}
	for of, h := range all {
		if name := of.Elem().Name(); h.shows != strings.HasPrefix(name, "Show") {
			t.Errorf("the handler of command.%s shows: %t", name, h.shows)
		}
	}
}
