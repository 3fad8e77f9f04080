package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/config"
)

// stringsIn calls f for each string literal of a package's files that are not tests.
func stringsIn(t *testing.T, dir string, f func(at token.Position, text string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					f(set.Position(n.Pos()), constant.StringVal(constant.MakeFromLiteral(n.Value, n.Kind, 0)))
				}
			}
			return true
		})
	}
}

// settings matches the keys of sections of the configuration.
var settings = func() *regexp.Regexp {
	var keys []string
	for _, f := range config.Fields() {
		if strings.Contains(f.Path, ".") {
			keys = append(keys, regexp.QuoteMeta(f.Path))
		}
	}
	return regexp.MustCompile(`\b(` + strings.Join(keys, "|") + `)\b`)
}()

// TestCoreNamesNoCommand holds the texts of the root package and the engine free
// of the program's commands, flags and settings: other programs use these packages
// too.
func TestCoreNamesNoCommand(t *testing.T) {
	for _, dir := range []string{"../..", "../../engine"} {
		seen := 0
		stringsIn(t, dir, func(at token.Position, text string) {
			seen++
			if strings.Contains(text, "tvmexport ") || strings.Contains(text, "--") || settings.MatchString(text) {
				t.Errorf("%s: %q names a command, a flag or a setting: set a Code and add the name in advice.go", at, text)
			}
		})
		if seen < 50 {
			t.Errorf("%s: only %d strings were seen", dir, seen)
		}
	}
}

// codes are the constants of type Code that the root package declares.
func codes(t *testing.T) map[tvmexport.Code]bool {
	t.Helper()
	source, err := os.ReadFile("../../error.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[tvmexport.Code]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if name, ok := v.Type.(*ast.Ident); ok && name.Name == "Code" {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				out[tvmexport.Code(text)] = true
			}
		}
		return true
	})
	return out
}

func TestEveryCodeHasAdvice(t *testing.T) {
	all := codes(t)
	if len(all) == 0 {
		t.Fatal("no codes were found")
	}
	for code := range all {
		hint, ok := advice[code]
		if !ok {
			t.Errorf("the code %q has no advice", code)
			continue
		}
		text := hint(&tvmexport.Error{Table: "DeviceInfo", Code: code, Hint: "do it"})
		if !strings.Contains(text, "tvmexport ") && !strings.Contains(text, "--") && !settings.MatchString(text) {
			t.Errorf("the advice for %q names no command, flag or setting: %s", code, text)
		}
		if strings.Contains(text, "TABLE") {
			t.Errorf("the advice for %q does not name the table: %s", code, text)
		}
	}
	for code := range advice {
		if !all[code] {
			t.Errorf("there is advice for %q, which is not a code", code)
		}
	}
}

// TestAdviceNamesCommands compares the advice with the command tree.
func TestAdviceNamesCommands(t *testing.T) {
	root := (&process{}).root()
	for code, hint := range advice {
		for _, part := range strings.Split(hint(&tvmexport.Error{Table: "DeviceInfo"}), "tvmexport ")[1:] {
			words := strings.Fields(part)
			c, _, err := root.Find(words[:1])
			if err != nil || c == root {
				t.Errorf("%s: no command %s", code, words[0])
				continue
			}
			for _, w := range words[1:] {
				if flag, ok := strings.CutPrefix(w, "--"); ok && c.Flags().Lookup(flag) == nil {
					t.Errorf("%s: %s has no flag --%s", code, words[0], flag)
				}
			}
		}
	}
}

// several is an error of a type that cannot be compared.
type several []string

func (s several) Error() string { return strings.Join(s, "; ") }

func TestAdvise(t *testing.T) {
	lost := &tvmexport.Error{Op: "plan", Table: "DeviceInfo", Cause: tvmexport.Integrity, Err: errors.New("rows are gone"), Hint: "export it", Code: tvmexport.PublishedRowsLost}
	const said = "plan DeviceInfo: rows are gone (export it: tvmexport run --table DeviceInfo --full)"
	plain := errors.New("plain")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"alone":           {lost, said},
		"wrapped":         {fmt.Errorf("serve: %w", lost), "serve: " + said},
		"joined":          {errors.Join(plain, lost), "plain\n" + said},
		"in another":      {&tvmexport.Error{Op: "check", Err: lost, Hint: "look"}, "check: " + said + " (look)"},
		"usage":           {usage(lost), said},
		"without a code":  {&tvmexport.Error{Op: "run", Err: plain, Hint: "again"}, "run: plain (again)"},
		"of another kind": {plain, "plain"},
		"not comparable":  {fmt.Errorf("serve: %w", several{"a", "b"}), "serve: a; b"},
		"mistakes":        {usage(several{"a", "b"}), "a; b"},
	} {
		t.Run(name, func(t *testing.T) {
			got := advise(c.err)
			if got.Error() != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if again := advise(got); again.Error() != c.want {
				t.Errorf("a second time: %q, want %q", again, c.want)
			}
			if g, w := tvmexport.CauseOf(got), tvmexport.CauseOf(c.err); g != w {
				t.Errorf("cause %v, want %v", g, w)
			}
			if errors.Is(c.err, plain) != errors.Is(got, plain) {
				t.Error("the chain lost an error")
			}
		})
	}
	if advise(nil) != nil {
		t.Error("advice without an error")
	}
	if fullReason(engine.FullRequested) != "requested by --full" || fullReason("other") != "other" {
		t.Error("the reason of a full run is not translated")
	}
	notes := []string{"ignored; " + engine.StartIgnored, "other"}
	if got := advisedNotes(notes); got[0] != "ignored; run --from sets the start" || got[1] != "other" || notes[0] == got[0] {
		t.Errorf("notes %q", got)
	}
	if lost.Code == "" || lost.Hint != "export it" {
		t.Error("the original error was changed")
	}
}
