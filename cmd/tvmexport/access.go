//go:build !noemulator

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tvmexport/tvmexport/emulator"
)

// written is the first line of files that the emulator may overwrite.
const written = "# Written by tvmexport emulator; each start overwrites it.\n"

// writeAccess writes a configuration and a sign-in for the emulator into a
// folder. It does not change files of others.
func (p *process) writeAccess(f emulatorFlags, r emulator.Ready) error {
	calls := "" // no analyst shares the emulated tenant
	if strings.EqualFold(f.quota, "off") {
		calls = "  calls_per_minute: 100000\n  calls_per_hour: 1000000\n"
	}
	ca, err := filepath.Abs(r.CA)
	if err != nil {
		return err
	}
	for _, w := range []struct{ name, text string }{
		{defaultConfig, fmt.Sprintf("defender:\n  endpoint: %q\n  share: 1\n%sassessment:\n  endpoint: %q\n  share: 1\nkusto:\n  cluster: %q\n  ingest: %q\n%sca_file: %q\n%s",
			r.Graph, calls, r.MDE, r.Kusto, r.Ingest, kustoConfig(r), ca, tenantsConfig(r))},
		{"emulator.env", fmt.Sprintf("export AZURE_TENANT_ID='%s'\nexport AZURE_CLIENT_ID='%s'\nexport AZURE_CLIENT_SECRET='%s'\nexport AZURE_AUTHORITY_HOST='%s'\n"+
			// Trust for Go, for requests and urllib3 of Python, and for Node.
			"export SSL_CERT_FILE='%s'\nexport REQUESTS_CA_BUNDLE='%s'\nexport NODE_EXTRA_CA_CERTS='%s'\n"+
			"export EMULATOR_KUSTO='%s'\nexport EMULATOR_CONTROL='%s'\n",
			r.TenantID, r.ClientID, r.ClientSecret, r.Authority, ca, ca, ca, r.Kusto, r.Control)},
	} {
		path := filepath.Join(f.dir, w.name)
		old, err := os.ReadFile(path)
		switch {
		case err == nil && !bytes.HasPrefix(old, []byte(written)):
			fmt.Fprintf(p.stderr, "note: %s exists and is not the emulator's; it was not changed\n", path)
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := os.WriteFile(path, []byte(written+w.text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
