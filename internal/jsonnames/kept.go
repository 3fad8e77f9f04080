package jsonnames

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Write is the environment variable with which [Kept] writes lists instead of reading them. test/older/names.sh sets it in
// a checkout of the version whose names are kept, and nowhere else.
const Write = "TVMEXPORT_WRITE_NAMES"

// Kept compares lines with a list that an earlier version wrote: the file NAME.txt in testdata. Each line of the file must
// be among them, byte for byte. Further lines are new names. The file NAME_added.txt, which may be missing, lists those
// that must stay too.
func Kept(t testing.TB, name string, lines []string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if os.Getenv(Write) != "" {
		write(t, file, lines)
		return
	}
	for _, missing := range missingLines(t, file, lines) {
		t.Errorf("%s: %q is gone or has changed; databases and scripts of users depend on it", file, missing)
	}
	added := filepath.Join("testdata", name+"_added.txt")
	if _, err := os.Stat(added); errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, missing := range missingLines(t, added, lines) {
		t.Errorf("%s: %q is gone or has changed", added, missing)
	}
}

func missingLines(t testing.TB, file string, lines []string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) == 0 {
		t.Fatalf("%s is empty", file)
	}
	want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return slices.DeleteFunc(want, func(line string) bool { return slices.Contains(lines, line) })
}

func write(t testing.TB, file string, lines []string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
