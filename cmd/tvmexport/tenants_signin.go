package main

import (
	"net/http"
	"sync"

	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
)

// sharedClients are the connections of all tenants of a process, and the budget of their
// clusters. It is safe for concurrent use.
type sharedClients struct {
	budget  *fleet.Budget
	perHost int // connections to a host that are kept open

	mu      sync.Mutex
	clients map[string]*http.Client // by the file of certificates
}

// connections is how many connections to a host a fleet keeps open: some for each of the
// tenants that are worked on.
func connections(f config.Fleet) int { return 4 * f.Workers }

// client is the client that trusts the certificates of a file.
func (s *sharedClients) client(caFile string) (*http.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.clients[caFile]; ok {
		return c, nil
	}
	c, err := httpClient(caFile)
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

func (s *sharedClients) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// clientOf is the client of a configuration: that of all tenants if there are several.
func clientOf(p *process, c config.Config) (*http.Client, error) {
	if p.shared == nil {
		return httpClient(c.CAFile)
	}
	return p.shared.client(c.CAFile)
}

// toCluster is a client whose requests are counted, and stay within the budget of the cluster.
func toCluster(p *process, client *http.Client) *http.Client {
	client = p.instrumented("kusto", client)
	if p.shared == nil {
		return client
	}
	bounded := *client
	bounded.Transport = p.shared.budget.Transport(client.Transport)
	return &bounded
}

// tenantAuth is how to sign in to Defender and to the cluster for a tenant. To Defender it
// is the tenant's own auth over that of the top. To the cluster it is kusto.auth over the
// auth of the top: the cluster is usually that of the provider.
func tenantAuth(m config.Member, cloud hunting.Cloud, env config.Lookup) (defender, cluster signin.Options) {
	top := m.Config
	top.Auth = m.Home
	home := defenderAuth(top, cloud, env)
	defender = defenderAuth(m.Config, cloud, env)
	defender.Section = "tenants." + m.Name + ".auth"
	if defender.ClientID != home.ClientID { // secret and certificate in the environment are those of the top's application
		defender.Secrets = defender.Secrets[:1]
		defender.CertificateFile = m.Config.Auth.Certificate
	}
	if defender.CertificateFile != home.CertificateFile {
		defender.Passwords = defender.Passwords[:1]
	}
	defender.Secrets = append([]signin.Place{{Variable: m.Variable("auth.client_secret")}}, defender.Secrets...)
	defender.Passwords = append([]signin.Place{{Variable: m.Variable("auth.certificate_password")}}, defender.Passwords...)
	cluster = kustoAuth(top, cloud, env)
	cluster.Secrets = append([]signin.Place{{Variable: m.Variable("kusto.auth.client_secret")}}, cluster.Secrets...)
	cluster.Passwords = append([]signin.Place{{Variable: m.Variable("kusto.auth.certificate_password")}}, cluster.Passwords...)
	return defender, cluster
}

// secretVariables are the variables that hold secrets of a tenant and set no key.
func secretVariables(m config.Member) []string {
	var out []string
	for _, key := range []string{"auth.client_secret", "auth.certificate_password", "kusto.auth.client_secret", "kusto.auth.certificate_password"} {
		name := m.Variable(key)
		out = append(out, name, name+"_FILE")
	}
	return out
}
