package release_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The scripts that packages execute are scripts of a shell, and the packages' units name the packages' path and user.
func TestPackageScripts(t *testing.T) {
	scripts, err := filepath.Glob("*.sh")
	if err != nil || len(scripts) != 2 {
		t.Fatalf("%v (%v), want 2 scripts", scripts, err)
	}
	for _, script := range scripts {
		if said, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, said)
		}
	}
	for _, unit := range []string{"tvmexport.service", "tvmexport@.service"} {
		text, err := os.ReadFile(filepath.Join("..", "systemd", unit))
		if err != nil {
			t.Fatal(err)
		}
		// tools/release/prepare.sh replaces these lines.
		for _, line := range []string{"\nExecStart=/usr/local/bin/tvmexport ", "\nDynamicUser=yes\n"} {
			if strings.Count(string(text), line) != 1 {
				t.Errorf("%s does not have the line %q once, which tools/release/prepare.sh replaces", unit, strings.TrimSpace(line))
			}
		}
	}
}
