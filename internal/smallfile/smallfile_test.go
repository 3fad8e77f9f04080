package smallfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tvmexport/tvmexport/internal/smallfile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	sparse := file("sparse", 0)
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		size int
		want string // "" is success
	}{
		{file("full", 1<<10), 1 << 10, ""},
		{file("empty", 0), 0, ""},
		{"/dev/null", 0, ""},
		{file("more", 1<<10+1), 0, "larger than 1 KiB"},
		{sparse, 0, "larger than 1 KiB"},
		{"/dev/zero", 0, "larger than 1 KiB"},
		{dir, 0, "is a directory"},
		{pipe, 0, "is a pipe without a writer"},
		{filepath.Join(dir, "absent"), 0, "no such file"},
	} {
		data, err := smallfile.Read(tt.path, 1<<10)
		if tt.want == "" && (err != nil || len(data) != tt.size) {
			t.Errorf("%s: %d bytes, %v", tt.path, len(data), err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path)) {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}

	// What a shell substitutes is a pipe with a writer.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		_, _ = w.WriteString("text")
		_ = w.Close()
	}()
	data, err := smallfile.Read(fmt.Sprintf("/dev/fd/%d", r.Fd()), 1<<10)
	if err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
}
