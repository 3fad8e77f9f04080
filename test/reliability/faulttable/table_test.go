package faulttable

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

var update = flag.Bool("update", false, "write the table into docs/reliability.md")

// A new kind of request needs an entry in each column.
func TestEveryCellIsFilled(t *testing.T) {
	for _, r := range Requests() {
		for _, w := range Ways() {
			c := CellOf(r, w)
			if len(c.Faults) == 0 && c.Test == "" && c.Reason == "" {
				t.Errorf("%s, %s: neither a fault nor a test nor a reason", r.Name, w)
			}
		}
	}
}

func TestRequestsAreDistinct(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Requests() {
		if names[r.Name] {
			t.Errorf("two rows are called %s", r.Name)
		}
		names[r.Name] = true
		if got, ok := Classify(r.Endpoint, r.Match); r.Endpoint != faults.Delivery && (!ok || got.Name != r.Name) {
			t.Errorf("the text of %q is classified as %q", r.Name, got.Name)
		}
	}
}

// Each fault that can be drawn is a rule that the emulator takes.
func TestDrawnRulesAreValid(t *testing.T) {
	d := Dice{rand.New(rand.NewPCG(1, 2))}
	seen := map[string]bool{}
	for range 20_000 {
		drawn := Draw(d)
		seen[drawn.Name] = true
		if err := drawn.Rule.Validate(); err != nil {
			t.Fatalf("%s: %v", drawn.Name, err)
		}
	}
	if want := len(narrow()) + len(wide()); len(seen) != want {
		t.Errorf("%d of %d faults were drawn", len(seen), want)
	}
}

// The recorded texts of the Kusto adapter that a run sends each have a row.
func TestRecordedTextsHaveRows(t *testing.T) {
	files, err := filepath.Glob("../../../kusto/testdata/*.kql")
	if err == nil {
		var more []string
		more, err = filepath.Glob("../../../kusto/*/testdata/*.kql")
		files = append(files, more...)
	}
	if err != nil || len(files) == 0 {
		t.Fatalf("%d recorded texts, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".kql")
		if strings.HasPrefix(name, "legacy_") || name == "release" || name == "audited_row" || // of import; parts of a text
			filepath.Base(filepath.Dir(filepath.Dir(f))) == "reconcile" && strings.HasPrefix(name, "rows") { // printed for people
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		at := faults.KustoQuery
		if strings.HasPrefix(string(text), ".") {
			at = faults.KustoMgmt
		}
		if r, ok := Classify(at, string(text)); !ok && !strings.HasPrefix(string(text), ".set-or-append MigrationConfiguration") {
			t.Errorf("%s matches no row of the table: %.100s", name, text)
		} else {
			t.Logf("%s: %s", name, r.Name)
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// The tests that cells name are there.
func TestNamedTestsExist(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("../../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			there[filepath.Base(filepath.Dir(path))+"."+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exceptions {
		if name, _, _ := strings.Cut(e.test, "/"); name != "" && !there[name] {
			t.Errorf("there is no test %s", e.test)
		}
	}
}

const (
	begins = "<!-- table of requests and faults: `go test ./test/reliability/faulttable -update` -->\n"
	ends   = "<!-- end of the table -->\n"
)

func TestDocument(t *testing.T) {
	const file = "../../../docs/reliability.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begins)
	_, tail, closed := strings.Cut(rest, ends)
	if !ok || !closed {
		t.Fatalf("%s lacks the lines %q and %q", file, begins, ends)
	}
	want := head + begins + "\n" + Markdown() + "\n" + ends + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s does not show the table as it is: go test ./test/reliability/faulttable -update", file)
	}
}
