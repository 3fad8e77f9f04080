package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/config"
)

// BenchmarkTenants reads 1,000 tenants, from one file and from a folder.
func BenchmarkTenants(b *testing.B) {
	const tenants = 1000
	dir := b.TempDir()
	folder := filepath.Join(dir, "tenants")
	if err := os.Mkdir(folder, 0o700); err != nil {
		b.Fatal(err)
	}
	head := "auth: {method: secret, tenant_id: p, client_id: app}\nkusto: {cluster: https://adx.kusto.windows.net}\n"
	var inline strings.Builder
	inline.WriteString(head + "tenants:\n")
	write := func(path, text string) string {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	for i := range tenants {
		fmt.Fprintf(&inline, "  t%04d:\n    auth:\n      tenant_id: id-%d\n    kusto:\n      database: d%d\n", i, i, i)
		write(filepath.Join(folder, fmt.Sprintf("t%04d.yaml", i)), fmt.Sprintf("auth:\n  tenant_id: id-%d\nkusto:\n  database: d%d\n", i, i))
	}
	for name, file := range map[string]string{
		"file":   write(filepath.Join(dir, "inline.yaml"), inline.String()),
		"folder": write(filepath.Join(dir, "folder.yaml"), head+"tenants_dir: "+folder+"\n"),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, members, err := config.Load(file, env(nil))
				if err != nil || len(members) != tenants {
					b.Fatalf("%d tenants: %v", len(members), err)
				}
			}
		})
	}
}
