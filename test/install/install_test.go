package install

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tvmexport/tvmexport"

// go install MODULE@VERSION refuses a main module whose go.mod has replace or exclude directives.
func TestGoMod(t *testing.T) {
	var file struct {
		Module           struct{ Path string }
		Replace, Exclude []any
	}
	if err := json.Unmarshal(command(t, nil, "go", "mod", "edit", "-json"), &file); err != nil {
		t.Fatal(err)
	}
	if file.Module.Path != module {
		t.Errorf("the module is %q, want %q", file.Module.Path, module)
	}
	if len(file.Replace)+len(file.Exclude) > 0 {
		t.Errorf("go.mod has the replace directives %v and the exclude directives %v", file.Replace, file.Exclude)
	}
}

// The first require block of go.mod lists the modules that packages import, and the second those that tests alone import.
func TestRequireBlocks(t *testing.T) {
	root := strings.TrimSpace(string(command(t, nil, "go", "list", "-m", "-f", "{{.Dir}}")))
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	program, tests, ok := strings.Cut(string(text), "\n// Imported by tests only.\n")
	tests, _, closed := strings.Cut(tests, "\n)\n")
	if !ok || !closed {
		t.Fatal("go.mod has no block of modules that are imported by tests only")
	}
	imports := strings.Fields(string(command(t, nil, "go", "list", "-f", `{{join .Imports "\n"}}`, module+"/...")))
	for block, want := range map[string]bool{program: true, tests: false} {
		for line := range strings.Lines(block) {
			path, _, _ := strings.Cut(strings.TrimPrefix(line, "\t"), " ")
			if !strings.HasPrefix(line, "\t") {
				continue
			}
			imported := slices.ContainsFunc(imports, func(p string) bool { return p == path || strings.HasPrefix(p, path+"/") })
			if imported != want {
				t.Errorf("%s is in the wrong require block of go.mod: imported by a package outside tests: %t", path, imported)
			}
		}
	}
}

// The commit can be installed from a module proxy, with an empty module cache, and knows its version.
func TestGoInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it compiles the program a second time")
	}
	if _, err := exec.Command("git", "rev-parse", "--verify", "HEAD").Output(); err != nil {
		t.Skipf("not in a Git clone: %v", err)
	}
	// The go command keeps no result of this test across commits, as the test reads the log of HEAD.
	if log := strings.TrimSpace(string(command(t, nil, "git", "rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"))); log != "" {
		_, _ = os.ReadFile(log) // a clone without reflogs has none
	}
	version := pseudoVersion(t)
	proxy := moduleProxy(t, version)
	// Other modules come from the module cache of this machine, which has the layout of a proxy.
	cache := filepath.Join(strings.TrimSpace(string(command(t, nil, "go", "env", "GOMODCACHE"))), "cache", "download")
	work := t.TempDir()
	env := []string{
		"GOPROXY=file://" + filepath.ToSlash(proxy) + ",file://" + filepath.ToSlash(cache) + ",off",
		"GOSUMDB=off", "GONOPROXY=none", "GOPRIVATE=", "GOWORK=off", "GOTOOLCHAIN=local",
		"GOMODCACHE=" + filepath.Join(work, "mod"), "GOBIN=" + filepath.Join(work, "bin"),
		"GOFLAGS=-modcacherw -trimpath", // t.TempDir removes the module cache
	}
	command(t, env, "go", "install", module+"/cmd/tvmexport@"+version)
	said := string(command(t, nil, filepath.Join(work, "bin", "tvmexport"), "version"))
	if want := "tvmexport " + version + " (revision " + version[len(version)-12:] + ", "; !strings.HasPrefix(said, want) {
		t.Errorf("version prints %q, want %q at its beginning", said, want)
	}
}

// pseudoVersion is the version that Go gives to the commit.
func pseudoVersion(t *testing.T) string {
	t.Helper()
	out := command(t, []string{"TZ=UTC"}, "git", "show", "-s", "--abbrev=12", "--date=format-local:%Y%m%d%H%M%S", "--format=%cd-%h", "HEAD")
	stamp, commit, _ := strings.Cut(strings.TrimSpace(string(out)), "-")
	return "v0.0.0-" + stamp + "-" + commit[:12]
}

// moduleProxy is a directory in the layout of a module proxy that holds the commit as version.
func moduleProxy(t *testing.T, version string) string {
	t.Helper()
	root := strings.TrimSpace(string(command(t, nil, "git", "rev-parse", "--show-toplevel")))
	dir := t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	archive := []string{"-C", root, "archive", "--format=zip", "--prefix=" + module + "@" + version + "/", "-o", filepath.Join(at, version+".zip"), "HEAD", "--", "."}
	for path := range strings.Lines(string(command(t, nil, "git", "-C", root, "ls-tree", "-r", "--name-only", "HEAD"))) {
		// A directory with a go.mod of its own is another module.
		if nested, ok := strings.CutSuffix(strings.TrimSpace(path), "/go.mod"); ok {
			archive = append(archive, ":(exclude)"+nested)
		}
	}
	command(t, nil, "git", archive...)
	info, err := json.Marshal(map[string]string{"Version": version})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": info,
		version + ".mod":  command(t, nil, "git", "-C", root, "show", "HEAD:go.mod"),
	} {
		if err := os.WriteFile(filepath.Join(at, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs a command with additional variables and returns its standard output.
func command(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), env...)
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return out
}
