package tvmexport_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/tvmexport/tvmexport"

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	GoFiles    []string // without tests
}

func packages(t *testing.T) []pkg {
	t.Helper()
	dependOnSources(t)
	list, err := listed()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return list
}

// listed asks go list once for all tests.
var listed = sync.OnceValues(func() (list []pkg, err error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles", "./...").Output()
	for d := json.NewDecoder(bytes.NewReader(out)); err == nil; {
		var p pkg
		if err = d.Decode(&p); err == nil {
			list = append(list, p)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return list, err
})

// dependOnSources reads the directories of the module. The go command then keeps no result of this test across a change
// of a file in them: it does not see what go list reads.
func dependOnSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(_ string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && slices.Contains([]string{".git", "bin", "dist", "node_modules", ".venv"}, d.Name()) {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
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

// Arrows between packages: cmd and the programs below test know all. The root imports the standard library only, the
// engine the root and x/sync. Adapters and the parts of the application import the root and the leaves below internal,
// an adapter also the catalogue, a source also defender; none of them imports another one, the engine or cmd. A leaf
// imports at most the root. internal/wiring puts an exporter together from all of them; only programs import it.
// The emulator and the exporter share nothing.
func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := local(p.ImportPath)
		for _, imported := range p.Imports {
			if why := forbidden(from, imported); why != "" {
				t.Errorf("%s imports %s: %s", cmp.Or(from, "the root package"), imported, why)
			}
		}
	}
}

// forbidden says why a package may not import another one; "" if it may.
func forbidden(from, imported string) string {
	to, ours := local(imported)
	switch {
	case strings.HasPrefix(from, "cmd/"), strings.HasPrefix(from, "test/"):
	case from == assembly:
		if strings.HasPrefix(to, "cmd/") || emulated(to) {
			return "exports need neither a command nor the emulator"
		}
	case from == "":
		if external(imported) != "" {
			return "the root package imports the standard library only"
		}
	case from == "engine":
		if ours && to != "" || !ours && external(imported) != "" && !strings.HasPrefix(imported, "golang.org/x/sync/") {
			return "the engine imports the root package and x/sync only"
		}
	case !ours:
	case emulated(from) && !emulated(to):
		return "the emulator shares no code with the exporter"
	case !emulated(from) && emulated(to):
		return "the exporter shares no code with the emulator"
	case inKusto(from) && inKusto(to) && !slices.Contains(kustoArrows[from], to):
		return "kustoArrows does not allow this import"
	case strings.HasPrefix(from, "lake/") && adapter(to) == "lake" && !slices.Contains(lakeArrows[from], to):
		return "lakeArrows does not allow this import"
	case emulated(from), to == "", strings.HasPrefix(to, from+"/"), adapter(from) != "" && adapter(from) == adapter(to):
	case leaf(from):
		return "a leaf imports the root package only"
	case leaf(to), to == "catalog" && adapter(from) != "", to == "defender" && slices.Contains(defenderSources, adapter(from)):
	default:
		return "an adapter, or a part of the application, imports the root package and leaves only"
	}
	return ""
}

// assembly is the package that makes source, destination and exporter of a configuration.
const assembly = "internal/wiring"

// defenderSources are the adapters of Defender's APIs. Package defender makes their calls.
var defenderSources = []string{"assessment", "hunting"}

// adapter is the adapter that a package belongs to; "" if it belongs to none.
func adapter(name string) string {
	for _, a := range append([]string{"kusto", "lake", "spool"}, defenderSources...) {
		if name == a || strings.HasPrefix(name, a+"/") {
			return a
		}
	}
	return ""
}

// kustoArrows lists, for each package of the destination, the other packages of
// it that it may import. The order is from the bottom to the top.
var kustoArrows = map[string][]string{
	"kusto/kql":           nil,
	"kusto/kql/kqltest":   {"kusto/kql"},
	"kusto/conn/conntest": {"kusto/kql"},
	"kusto/conn":          {"kusto/kql"},
	"kusto/views":         {"kusto/kql"},
	"kusto/visibility":    {"kusto/conn", "kusto/kql"},
	"kusto/policy":        {"kusto/conn", "kusto/kql"},
	"kusto/ledger":        {"kusto/conn", "kusto/kql", "kusto/policy", "kusto/views", "kusto/visibility"},
	"kusto/landing":       {"kusto/conn", "kusto/kql"},
	"kusto/publish":       {"kusto/conn", "kusto/kql", "kusto/ledger", "kusto/policy", "kusto/views", "kusto/visibility"},
	"kusto/setup":         {"kusto/conn", "kusto/kql", "kusto/landing", "kusto/ledger", "kusto/policy", "kusto/views", "kusto/visibility"},
	"kusto/fleet":         {"kusto/conn", "kusto/kql", "kusto/views"},
	"kusto/takeover":      {"kusto/conn", "kusto/kql", "kusto/ledger", "kusto/setup", "kusto/views", "kusto/visibility"},
	"kusto/reconcile":     {"kusto/conn", "kusto/kql", "kusto/ledger", "kusto/visibility"},
	"kusto":               {"kusto/conn", "kusto/fleet", "kusto/landing", "kusto/ledger", "kusto/policy", "kusto/publish", "kusto/reconcile", "kusto/setup", "kusto/takeover", "kusto/visibility"},
}

// lakeArrows lists, for each package below lake, the other packages of the lake that it may
// import. The destination itself, lake, may import all of them.
var lakeArrows = map[string][]string{
	"lake/store":           nil,
	"lake/store/local":     {"lake/store"},
	"lake/store/blob":      {"lake/store"},
	"lake/store/storetest": {"lake/store"},
	"lake/parquet":         nil,
	"lake/delta":           {"lake/parquet", "lake/store"},
}

func inKusto(name string) bool { return name == "kusto" || strings.HasPrefix(name, "kusto/") }

// The rules refuse what they are to refuse.
func TestForbiddenImports(t *testing.T) {
	for _, c := range []struct {
		from, imported string
		refused        bool
	}{
		{"", "slices", false},
		{"", "golang.org/x/sync/errgroup", true},
		{"", module + "/internal/figures", true},
		{"engine", module, false},
		{"engine", "golang.org/x/sync/errgroup", false},
		{"engine", "golang.org/x/text/cases", true},
		{"engine", module + "/kusto", true},
		{"engine", module + "/internal/figures", true},
		{"kusto", module + "/engine", true},
		{"kusto", module + "/hunting", true},
		{"kusto", module + "/catalog", false},
		{"kusto/publish", module + "/internal/fingerprint", false},
		{"kusto", module + "/kusto/publish", false},
		{"kusto/conn", module + "/kusto/kql", false},
		{"kusto/conn", module + "/kusto", true},
		{"kusto/views", module + "/kusto/conn", true},
		{"kusto/landing", module + "/kusto/conn", false},
		{"kusto/conn", module + "/kusto/landing", true},
		{"kusto/ledger", module + "/kusto/policy", false},
		{"kusto/policy", module + "/kusto/ledger", true},
		{"kusto/publish", module + "/kusto/ledger", false},
		{"kusto/publish", module + "/kusto/setup", true},
		{"kusto/setup", module + "/kusto/publish", true},
		{"kusto/takeover", module + "/kusto/setup", false},
		{"kusto/ledger", module + "/kusto/takeover", true},
		{"kusto/kql", module + "/kusto", true},
		{"kusto/unlisted", module + "/kusto/kql", true},
		{"kusto", module + "/cmd/tvmexport", true},
		{"internal/serve/server", module + "/engine", true},
		{"internal/serve/server", module + "/internal/metrics", true},
		{"internal/figures", module + "/catalog", true},
		{"internal/figures", module, false},
		{"hunting", module + "/emulator", true},
		{"assessment", module + "/hunting", true},
		{"assessment", module + "/catalog", false},
		{"assessment", module + "/defender", false},
		{"hunting", module + "/defender", false},
		{"kusto", module + "/defender", true},
		{"defender", module + "/hunting", true},
		{"defender", module + "/catalog", true},
		{"defender", module + "/internal/wait", false},
		{"lake/delta", module + "/lake/store", false},
		{"lake/store", module + "/lake/delta", true},
		{"lake/parquet", module + "/lake/store", true},
		{"lake/delta", module + "/kusto/kql", true},
		{assembly, module + "/engine", false},
		{assembly, module + "/kusto", false},
		{assembly, module + "/emulator", true},
		{"internal/serve/server", module + "/" + assembly, true},
		{"emulator", module, true},
		{"emulator", module + "/emulator/internal/rest", false},
		{"cmd/tvmexport", module + "/engine", false},
	} {
		if why := forbidden(c.from, c.imported); (why != "") != c.refused {
			t.Errorf("%q imports %q: refused %t (%s), want %t", c.from, c.imported, why != "", why, c.refused)
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
	return strings.HasPrefix(name, "internal/") && name != assembly && !slices.ContainsFunc(parts, func(part string) bool {
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

// Libraries that must stay replaceable are imported by one package each.
func TestOnePackagePerLibrary(t *testing.T) {
	homes := map[string][]string{
		"github.com/Azure/azure-kusto-go/azkustodata":          {"kusto/conn"},
		"github.com/Azure/azure-kusto-go/azkustoingest":        {"kusto/landing"},
		"github.com/Azure/azure-sdk-for-go/sdk/azidentity":     {"internal/signin"},
		"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob": {"lake/store/blob"},
		"software.sslmate.com/src/go-pkcs12":                   {"internal/signin"},
		"github.com/spf13/cobra":                               {"cmd/tvmexport"},
		"github.com/goccy/go-yaml":                             {"internal/config"},
		"github.com/vbauerster/mpb":                            {"internal/progress"},
		"github.com/prometheus/client_golang":                  {"internal/metrics", "internal/telemetry", "cmd/tvmexport"},
		"go.opentelemetry.io":                                  {"internal/telemetry"},
		"github.com/golang-jwt/jwt":                            {"emulator/entra"},
		"github.com/parquet-go/parquet-go":                     {"lake/parquet"},
		"golang.org/x/sys":                                     {"lake/store/local"},
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
