package emulatortest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// heading goes before the code of the README.
const heading = `package outside

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

`

// A module that imports only emulatortest builds, passes the test that the README
// begins with, and lists none of the exporter's large libraries.
func TestOutsideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds another module; make test runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(code) != 2 || bytes.Count(code[0][1], []byte("\n")) > 10 {
		t.Fatalf("the README has %d pieces of code; it begins with a test of ten lines and the program that it tests", len(code))
	}
	outside := module{t, t.TempDir()}
	outside.write("go.mod", "module example.com/outside\n\ngo 1.26\n\nrequire github.com/tvmexport/tvmexport v0.0.0\n\nreplace github.com/tvmexport/tvmexport => "+root+"\n")
	outside.write("outside_test.go", heading+string(code[0][1])+string(code[1][1]))
	if out := outside.run("test", "-count=1", "-v", "./..."); !strings.Contains(out, "--- PASS: TestCountDevices") {
		t.Errorf("go test says %s", out)
	}

	for _, imported := range strings.Fields(outside.run("list", "-deps", "-test", "./...")) {
		for _, heavy := range []string{"github.com/Azure/", "go.opentelemetry.io/", "github.com/spf13/", "github.com/prometheus/", "google.golang.org/"} {
			if strings.HasPrefix(imported, heavy) {
				t.Errorf("it lists %s", imported)
			}
		}
		// Nothing of this module but the emulator.
		if rest, ours := strings.CutPrefix(imported, "github.com/tvmexport/tvmexport"); ours && !strings.HasPrefix(rest, "/emulator") {
			t.Errorf("it lists %s", imported)
		}
	}
	const most = 5
	if text, n := outside.read("go.mod"), strings.Count(outside.read("go.mod"), "// indirect"); n != most {
		t.Errorf("%d indirect requirements, the README says %d:\n%s", n, most, text)
	}
}

// module is a Go module in a folder.
type module struct {
	*testing.T
	dir string
}

func (m module) write(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

func (m module) read(name string) string {
	m.Helper()
	text, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		m.Fatal(err)
	}
	return string(text)
}

// run runs the go command in the module, with the modules that are on this machine.
func (m module) run(args ...string) string {
	m.Helper()
	c := exec.CommandContext(m.Context(), "go", args...)
	c.Dir = m.dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
	out, err := c.Output()
	if err != nil {
		said := ""
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			said = string(failed.Stderr)
		}
		m.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return string(out)
}
