package release_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// startInRoot starts the program as the image's user, with the image's root and nothing else.
func startInRoot(t *testing.T, root string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Log("not root: the program was not started in the image's root")
		return
	}
	c := exec.Command("/usr/local/bin/tvmexport", "version")
	c.Dir, c.Env = "/etc/tvmexport", []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	said, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "v9.8.7 (revision 0123456789abcdef0123456789abcdef01234567") {
		t.Errorf("the program says in the image's root: %s (%v)", said, err)
	}
}
