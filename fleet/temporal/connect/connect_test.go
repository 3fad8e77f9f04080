package connect_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/fleet/temporal/connect"
	"github.com/tvmexport/tvmexport/internal/config"
)

func lookup(vars map[string]string) config.Lookup {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		name  string
		c     config.Temporal
		vars  map[string]string
		want  config.Temporal
		wrong string
	}{
		{"nothing", config.Temporal{}, nil, config.Temporal{Address: "127.0.0.1:7233", Namespace: "default"}, ""},
		{
			"variables",
			config.Temporal{},
			map[string]string{
				"TEMPORAL_ADDRESS": "t:1", "TEMPORAL_NAMESPACE": "n", "TEMPORAL_API_KEY": "k", "TEMPORAL_TLS": "true", "TEMPORAL_TLS_SERVER_NAME": "s",
				"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "ca", "TEMPORAL_TLS_CLIENT_CERT_PATH": "c", "TEMPORAL_TLS_CLIENT_KEY_PATH": "p",
			},
			config.Temporal{Address: "t:1", Namespace: "n", APIKey: "k", TLS: true, ServerName: "s", CAFile: "ca", Certificate: "c", Key: "p"},
			"",
		},
		{
			"the configuration first",
			config.Temporal{Address: "c:1", Namespace: "own", APIKey: "own", Certificate: "a", Key: "b"},
			map[string]string{"TEMPORAL_ADDRESS": "t:1", "TEMPORAL_NAMESPACE": "n", "TEMPORAL_API_KEY": "k", "TEMPORAL_TLS_CLIENT_CERT_PATH": "c", "TEMPORAL_TLS_CLIENT_KEY_PATH": "p"},
			config.Temporal{Address: "c:1", Namespace: "own", APIKey: "own", Certificate: "a", Key: "b"},
			"",
		},
		{"no port", config.Temporal{}, map[string]string{"TEMPORAL_ADDRESS": "t"}, config.Temporal{}, `TEMPORAL_ADDRESS is "t"; it must be HOST:PORT`},
		{"half a certificate", config.Temporal{}, map[string]string{"TEMPORAL_TLS_CLIENT_KEY_PATH": "p"}, config.Temporal{}, "belong together"},
		{"no truth", config.Temporal{}, map[string]string{"TEMPORAL_TLS": "maybe"}, config.Temporal{}, "must be true or false"},
	} {
		got, err := connect.Settings(tt.c, lookup(tt.vars))
		switch {
		case tt.wrong == "" && (err != nil || got != tt.want):
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.wrong)
		}
	}
}

// pair writes a certificate and its key.
func pair(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestOptionsOfAConnection(t *testing.T) {
	log, dir := slog.New(slog.NewTextHandler(io.Discard, nil)), t.TempDir()
	certificate, key := pair(t, dir)
	o, err := connect.Options(config.Temporal{Address: "a:1", Namespace: "n"}, log)
	if err != nil || o.ConnectionOptions.TLS != nil || !o.ConnectionOptions.TLSDisabled || o.Credentials != nil || o.HostPort != "a:1" || o.Namespace != "n" {
		t.Errorf("a plain connection: %+v, %v", o, err)
	}
	o, err = connect.Options(config.Temporal{Address: "a:1", CAFile: certificate, Certificate: certificate, Key: key, ServerName: "s", APIKey: "k"}, log)
	if err != nil || o.Credentials == nil || o.ConnectionOptions.TLS.ServerName != "s" || o.ConnectionOptions.TLS.RootCAs == nil {
		t.Fatalf("a secured connection: %+v, %v", o, err)
	}
	first, err := o.ConnectionOptions.TLS.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, dir) // a new certificate in the same files
	second, err := o.ConnectionOptions.TLS.GetClientCertificate(nil)
	if err != nil || string(first.Certificate[0]) == string(second.Certificate[0]) {
		t.Errorf("a renewed certificate is not used: %v", err)
	}
	for name, c := range map[string]config.Temporal{
		"no file":        {CAFile: filepath.Join(dir, "none")},
		"no certificate": {CAFile: key},
		"no pair":        {Certificate: key, Key: key},
	} {
		if _, err := connect.Options(c, log); err == nil || !strings.Contains(err.Error(), "fleet.temporal.") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
