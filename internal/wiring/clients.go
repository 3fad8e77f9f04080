package wiring

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"

	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// HTTPClient trusts the system's certificates and those of the file. It keeps
// to the proxy of the environment, and leaves compression to its callers.
func HTTPClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.MaxIdleConnsPerHost = 16
	if caFile != "" {
		pem, err := smallfile.Read(caFile, smallfile.Certificate)
		if err != nil {
			return nil, Usage(fmt.Errorf("ca_file: %w", err))
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, Usage(fmt.Errorf("ca_file %s contains no certificate in PEM format", caFile))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, nil
}

// Clients are the connections of all tenants of a process, and the budget of their
// clusters. They are safe for concurrent use.
type Clients struct {
	budget  *fleet.Budget
	perHost int // connections to a host that are kept open

	mu      sync.Mutex
	clients map[string]*http.Client // by the file of certificates
}

// NewClients makes the connections of a fleet. It keeps some to each host open for each of
// the tenants that are worked on.
func NewClients(f config.Fleet) *Clients {
	return &Clients{budget: fleet.NewBudget(f.Commands), perHost: 4 * f.Workers}
}

// client is the client that trusts the certificates of a file.
func (s *Clients) client(caFile string) (*http.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.clients[caFile]; ok {
		return c, nil
	}
	c, err := HTTPClient(caFile)
	if err != nil {
		return nil, err
	}
	if t, ok := c.Transport.(*http.Transport); ok {
		t.MaxIdleConnsPerHost, t.MaxIdleConns = s.perHost, 0
	}
	if s.clients == nil {
		s.clients = map[string]*http.Client{}
	}
	s.clients[caFile] = c
	return c, nil
}

// Close closes connections that are not in use.
func (s *Clients) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// client is the client of a configuration: that of all tenants if there are several.
func (s Setup) client() (*http.Client, error) {
	if s.Clients == nil {
		return HTTPClient(s.Config.CAFile)
	}
	return s.Clients.client(s.Config.CAFile)
}

func (s Setup) instrumented(service string, c *http.Client) *http.Client {
	if s.Instrument == nil {
		return c
	}
	return s.Instrument(service, c)
}

// toCluster is a client whose requests are counted, and stay within the budget of the cluster.
func (s Setup) toCluster(client *http.Client) *http.Client {
	client = s.instrumented("kusto", client)
	if s.Clients == nil {
		return client
	}
	bounded := *client
	bounded.Transport = s.Clients.budget.Transport(client.Transport)
	return &bounded
}
