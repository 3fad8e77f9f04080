package release_test

import (
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// instructions are those of the Dockerfile, by name, with continued lines joined.
func instructions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(string(text), "")) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		out[name] = append(out[name], rest)
	}
	return out
}

// The image has no base and no build step; it does not run as root, and says what it is.
func TestImageInstructions(t *testing.T) {
	found := instructions(t)
	for name, want := range map[string]string{
		"FROM": "scratch", "USER": "65532:65532", "ENTRYPOINT": `["/usr/local/bin/tvmexport"]`, "CMD": `["serve"]`,
		"COPY": "--chown=0:0 root/ /", "WORKDIR": "/etc/tvmexport", "EXPOSE": "9464", "ENV": "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
	} {
		if got := strings.Join(found[name], "; "); got != want {
			t.Errorf("%s %s, want %s", name, got, want)
		}
	}
	if len(found["RUN"])+len(found["ADD"]) > 0 {
		t.Errorf("an image without a base cannot execute a step of its build: %v %v", found["RUN"], found["ADD"])
	}
	labels := strings.Join(found["LABEL"], " ")
	for _, name := range []string{"title", "description", "source", "licenses", "version", "revision", "created"} {
		if !strings.Contains(labels, "org.opencontainers.image."+name+`="`) {
			t.Errorf("the image has no label %s", name)
		}
	}
}

// What the image contains: a static program that starts with nothing else, certificates, licences, time zones.
func TestImageFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds the program; make test does it")
	}
	folder := t.TempDir()
	certificates := "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(certificates); err != nil {
		t.Skip("this machine has no certificates to be put into the image (Debian: ca-certificates)")
	}
	c := exec.Command("../../tools/release/image.sh", folder)
	c.Env = append(os.Environ(), "VERSION=v9.8.7", "REVISION=0123456789abcdef0123456789abcdef01234567")
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	root := filepath.Join(folder, "root")
	want := map[string]fs.FileMode{
		"etc/ssl/certs/ca-certificates.crt": 0o644, "licenses/LICENSE": 0o644, "licenses/THIRD_PARTY_NOTICES.txt": 0o644, "usr/local/bin/tvmexport": 0o755,
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, info := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/"), must(d.Info())
		if mode, ok := want[name]; !ok || info.Mode().Perm() != mode {
			t.Errorf("%s is in the image with mode %o, want %o (there: %t)", name, info.Mode().Perm(), mode, ok)
		}
		delete(want, name)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("the image lacks %v (%v)", want, err)
	}
	program := filepath.Join(root, "usr/local/bin/tvmexport")
	binary, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if binary.Section(".interp") != nil {
		t.Error("the program is not static")
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	tags := ""
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			tags = s.Value
		}
	}
	if tags != "noemulator,timetzdata" {
		t.Errorf("the program is built with the tags %q: the image needs time zones, and no emulator", tags)
	}
	text, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("certificate %d: %v", roots, err)
		}
		roots++
	}
	if roots < 50 {
		t.Errorf("the image has %d certificates only", roots)
	}
	startInRoot(t, root)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
