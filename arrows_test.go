package tvmexport_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tvmexport/tvmexport"

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return list
		case err != nil:
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func local(importPath string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(importPath, module)
	return strings.TrimPrefix(rest, "/"), ok
}

// external is the module-like beginning of a library's import path; "" for the
// standard library.
func external(importPath string) string {
	if !strings.Contains(strings.Split(importPath, "/")[0], ".") {
		return ""
	}
	return importPath
}

// The picture: cmd, and the programs that try its reliability, know all; adapters and the parts of the application know
// the root and small leaves below internal, not each other; the root knows no technology; the emulator and the exporter
// know nothing of each other.
func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := local(p.ImportPath)
		for _, imported := range p.Imports {
			to, ours := local(imported)
			switch {
			case strings.HasPrefix(from, "cmd/"), strings.HasPrefix(from, "test/reliability/"):
			case from == "":
				if lib := external(imported); ours || lib != "" && !strings.HasPrefix(lib, "golang.org/x/sync") {
					t.Errorf("the root package imports %s; it imports the standard library and x/sync only", imported)
				}
			case !ours:
			case emulated(from) && !emulated(to):
				t.Errorf("%s imports %s: the emulator shares no code with the exporter", from, imported)
			case !emulated(from) && emulated(to):
				t.Errorf("%s imports %s: the exporter shares no code with the emulator", from, imported)
			case !emulated(from) && to != "" && !leaf(to) && !strings.HasPrefix(to, from+"/"):
				t.Errorf("%s imports %s: an adapter, or a part of the application, knows only the root package and leaves", from, imported)
			}
		}
	}
}

func emulated(name string) bool {
	return path.Clean(name) == "emulator" || strings.HasPrefix(name, "emulator/")
}

// What programs outside the emulator may import of it. Everything else is below emulator/internal.
func TestEmulatorIsClosed(t *testing.T) {
	public := map[string]string{
		"emulator":              "all services together",
		"emulator/emulatortest": "the same for tests",
		"emulator/entra":        "sign-in alone, for tests of programs that only sign in",
		"emulator/faults":       "the rules of the control API, with their fields",
		"emulator/recorded":     "a command",
	}
	for _, p := range packages(t) {
		name, _ := local(p.ImportPath)
		if !emulated(name) || strings.HasPrefix(name, "emulator/internal/") {
			continue
		}
		if public[name] == "" {
			t.Errorf("%s is public; move it below emulator/internal, or give the reason here", name)
		}
		if name == "emulator/entra" || name == "emulator/faults" {
			for _, imported := range p.Imports {
				if _, ours := local(imported); ours {
					t.Errorf("%s imports %s; it can be used alone", name, imported)
				}
			}
		}
	}
}

// parts are the parts of the application below internal; each may have packages of its own. What else is below internal
// is a leaf.
var parts = []string{
	"internal/config", "internal/metrics", "internal/preflight", "internal/progress", "internal/serve",
	"internal/signin", "internal/telemetry",
}

func leaf(name string) bool {
	return strings.HasPrefix(name, "internal/") && !slices.ContainsFunc(parts, func(part string) bool {
		return name == part || strings.HasPrefix(name, part+"/")
	})
}

// Each part of the application exists: a name that is wrong would make a part a leaf, which everybody may import.
func TestPartsOfTheApplication(t *testing.T) {
	list := packages(t)
	for _, part := range parts {
		if !slices.ContainsFunc(list, func(p pkg) bool {
			name, _ := local(p.ImportPath)
			return name == part || strings.HasPrefix(name, part+"/")
		}) {
			t.Errorf("there is no package %s", part)
		}
	}
}

// Libraries that are to be replaceable are imported by one package each.
func TestOnePackagePerLibrary(t *testing.T) {
	homes := map[string][]string{
		"github.com/Azure/azure-kusto-go":                  {"kusto"},
		"github.com/Azure/azure-sdk-for-go/sdk/azidentity": {"internal/signin"},
		"software.sslmate.com/src/go-pkcs12":               {"internal/signin"},
		"github.com/spf13/cobra":                           {"cmd/tvmexport"},
		"github.com/goccy/go-yaml":                         {"internal/config"},
		"github.com/vbauerster/mpb":                        {"internal/progress"},
		"github.com/prometheus/client_golang":              {"internal/metrics", "internal/telemetry", "cmd/tvmexport"},
		"go.opentelemetry.io":                              {"internal/telemetry"},
		"github.com/golang-jwt/jwt":                        {"emulator/entra"},
	}
	for _, p := range packages(t) {
		from, _ := local(p.ImportPath)
		for _, imported := range p.Imports {
			for library, allowed := range homes {
				if strings.HasPrefix(imported, library) && !slices.Contains(allowed, from) {
					t.Errorf("%s imports %s; only %v may", from, imported, allowed)
				}
			}
		}
	}
}
