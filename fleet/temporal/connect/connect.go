// Package connect connects to the Temporal cluster of a configuration.
package connect

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/smallfile"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// Settings are those of a configuration, completed from the variables of Temporal's own
// tools and with their defaults.
func Settings(c config.Temporal, env config.Lookup) (config.Temporal, error) {
	for _, v := range []struct {
		to   *string
		name string
	}{
		{&c.Address, "TEMPORAL_ADDRESS"},
		{&c.Namespace, "TEMPORAL_NAMESPACE"},
		{&c.ServerName, "TEMPORAL_TLS_SERVER_NAME"},
		{&c.CAFile, "TEMPORAL_TLS_SERVER_CA_CERT_PATH"},
		{(*string)(&c.APIKey), "TEMPORAL_API_KEY"},
	} {
		if text, _ := env(v.name); *v.to == "" {
			*v.to = text
		}
	}
	if c.Certificate == "" { // a pair comes from one place
		c.Certificate, _ = env("TEMPORAL_TLS_CLIENT_CERT_PATH")
		c.Key, _ = env("TEMPORAL_TLS_CLIENT_KEY_PATH")
	}
	if text, _ := env("TEMPORAL_TLS"); text != "" && !c.TLS {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return c, fmt.Errorf("TEMPORAL_TLS is %q; it must be true or false", text)
		}
		c.TLS = on
	}
	c.Address, c.Namespace = cmp.Or(c.Address, "127.0.0.1:7233"), cmp.Or(c.Namespace, "default")
	if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
		return c, fmt.Errorf("TEMPORAL_ADDRESS is %q; it must be HOST:PORT, such as 127.0.0.1:7233", c.Address)
	}
	if (c.Certificate == "") != (c.Key == "") {
		return c, errors.New("TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH belong together; set both or none of them")
	}
	return c, nil
}

// Options are those of a client of the cluster. Files of keys and certificates are read
// again when they are used, so that new ones need no restart.
func Options(c config.Temporal, logger *slog.Logger) (client.Options, error) {
	o := client.Options{HostPort: c.Address, Namespace: c.Namespace, Identity: wiring.Owner(), Logger: log.NewStructuredLogger(logger)}
	if c.APIKey != "" {
		o.Credentials = client.NewAPIKeyStaticCredentials(string(c.APIKey))
	}
	if k := keyOf(c.APIKeyFile); k != "" && k == string(c.APIKey) { // no variable replaces the file
		o.Credentials = client.NewAPIKeyDynamicCredentials(func(context.Context) (string, error) {
			return cmp.Or(keyOf(c.APIKeyFile), k), nil // the old one may still be good
		})
	}
	if !c.Secured() {
		o.ConnectionOptions.TLSDisabled = true
		return o, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		pem, err := smallfile.Read(c.CAFile, smallfile.Certificate)
		if err != nil {
			return o, wiring.Usage(fmt.Errorf("fleet.temporal.ca_file: %w", err))
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return o, wiring.Usage(fmt.Errorf("fleet.temporal.ca_file %s contains no certificate in PEM format", c.CAFile))
		}
	}
	if c.Certificate != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
			if err != nil {
				return nil, fmt.Errorf("fleet.temporal.certificate and fleet.temporal.key: %w", err)
			}
			return &pair, nil
		}
		if _, err := load(); err != nil { // at the start, and not with the first connection
			return o, wiring.Usage(err)
		}
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	o.ConnectionOptions.TLS = t
	return o, nil
}

// keyOf is the API key that a file has now; "" if it cannot be read.
func keyOf(file string) string {
	if file == "" {
		return ""
	}
	text, err := smallfile.Read(file, smallfile.Secret)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Dial connects to the cluster, and warns of a connection that others can read.
func Dial(ctx context.Context, c config.Temporal, o client.Options, logger *slog.Logger) (client.Client, error) {
	if host, _, err := net.SplitHostPort(c.Address); err == nil && !c.Secured() && !local(host) {
		logger.WarnContext(ctx, "the connection to Temporal is not encrypted; set fleet.temporal.tls", "address", c.Address)
	}
	to, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s, namespace %s (fleet.temporal): %w", c.Address, c.Namespace, err)
	}
	return to, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
