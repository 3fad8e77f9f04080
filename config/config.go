// Package config reads tvmexport's configuration: a YAML file, ${ENV}
// references in it, and TVMEXPORT_SECTION_KEY variables over it. It is strict:
// a key that it does not know is an error that names the nearest known one.
package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config is the whole configuration. Default fills what is not set.
type Config struct {
	Defender  Defender  `yaml:"defender"`
	Auth      Auth      `yaml:"auth"`
	Kusto     Kusto     `yaml:"kusto"`
	Functions Functions `yaml:"functions"`
	Publish   Publish   `yaml:"publish"`

	Lag         time.Duration `yaml:"lag"`
	Recount     time.Duration `yaml:"recount"`
	Resume      time.Duration `yaml:"resume"`
	Consistency string        `yaml:"consistency"`
	Lease       time.Duration `yaml:"lease"`

	Schedule string `yaml:"schedule"`
	CAFile   string `yaml:"ca_file"`
}

// Defender is the source.
type Defender struct {
	API            string  `yaml:"api"`
	Cloud          string  `yaml:"cloud"`
	Endpoint       string  `yaml:"endpoint"`
	Share          float64 `yaml:"share"`
	CallsPerMinute int     `yaml:"calls_per_minute"`
	CallsPerHour   int     `yaml:"calls_per_hour"`
}

// Auth is how to sign in. Secrets are not part of it: they come from the
// environment and from files that it names.
type Auth struct {
	Method      string `yaml:"method"`
	TenantID    string `yaml:"tenant_id"`
	ClientID    string `yaml:"client_id"`
	Certificate string `yaml:"certificate"`
	TokenFile   string `yaml:"token_file"`
	Authority   string `yaml:"authority"`
}

// Kusto is the destination.
type Kusto struct {
	Cluster      string   `yaml:"cluster"`
	Ingest       string   `yaml:"ingest"`
	Database     string   `yaml:"database"`
	TrustedHosts []string `yaml:"trusted_hosts"`
	Auth         Auth     `yaml:"auth"`
}

// Functions are the read functions that init makes.
type Functions struct {
	Prefix string `yaml:"prefix"`
}

// Publish bounds the commands that move landed rows into published tables.
type Publish struct {
	Bytes int `yaml:"bytes"`
}

// Default is the configuration before a file and the environment are read.
func Default() Config {
	return Config{
		Defender: Defender{API: "graph", Cloud: "commercial", Share: 0.5, CallsPerMinute: 45, CallsPerHour: 1500},
		Auth:     Auth{Method: "default"},
		Publish:  Publish{Bytes: 1_000_000_000},

		Lag: 15 * time.Minute, Recount: 48 * time.Hour, Resume: 24 * time.Hour,
		Consistency: "partition", Lease: 3 * time.Minute,
		Schedule: "0 */6 * * *",
	}
}

// The values that the words of a configuration may have.
var (
	APIs   = []string{"graph", "xdr", "mde"}
	Clouds = []string{"commercial", "gcc", "gcc-high", "dod"}
	// Consistencies: each partition is the state that one answer gave, or the
	// whole table is the state of one moment.
	Consistencies = []string{"partition", "table"}
	Methods       = []string{"default", "secret", "certificate", "managed-identity", "workload-identity", "azure-cli"}
)

// Check says what is wrong with the values, in one sentence that names the key.
func (c Config) Check() error {
	words := []struct {
		key, value string
		known      []string
		optional   bool
	}{
		{"defender.api", c.Defender.API, APIs, false},
		{"defender.cloud", c.Defender.Cloud, Clouds, false},
		{"auth.method", c.Auth.Method, Methods, false},
		{"consistency", c.Consistency, Consistencies, false},
		{"kusto.auth.method", c.Kusto.Auth.Method, Methods, true},
	}
	for _, w := range words {
		if w.optional && w.value == "" || slices.Contains(w.known, w.value) {
			continue
		}
		return fmt.Errorf("%s is %q; it must be one of %s", w.key, w.value, strings.Join(w.known, ", "))
	}
	if !(c.Defender.Share > 0 && c.Defender.Share <= 1) {
		return fmt.Errorf("defender.share is %v; it must be above 0 and at most 1", c.Defender.Share)
	}
	if c.Defender.CallsPerMinute < 1 || c.Defender.CallsPerHour < 1 {
		return fmt.Errorf("defender.calls_per_minute and defender.calls_per_hour must be at least 1")
	}
	for _, d := range []struct {
		key   string
		value time.Duration
		least time.Duration
	}{{"lag", c.Lag, 0}, {"recount", c.Recount, 0}, {"resume", c.Resume, 0}, {"lease", c.Lease, time.Second}} {
		if d.value < d.least {
			return fmt.Errorf("%s is %s; it must be at least %s", d.key, d.value, d.least)
		}
	}
	if c.Publish.Bytes < 1 {
		return fmt.Errorf("publish.bytes is %d; it must be at least 1", c.Publish.Bytes)
	}
	for _, u := range []struct {
		key, value string
		required   bool
	}{
		{"kusto.cluster", c.Kusto.Cluster, true},
		{"kusto.ingest", c.Kusto.Ingest, false},
		{"defender.endpoint", c.Defender.Endpoint, false},
		{"auth.authority", c.Auth.Authority, false},
		{"kusto.auth.authority", c.Kusto.Auth.Authority, false},
	} {
		if u.value == "" && !u.required {
			continue
		}
		if err := checkURL(u.key, u.value); err != nil {
			return err
		}
	}
	if c.Kusto.Database == "" {
		return fmt.Errorf("kusto.database is empty; give the name of the database to export into")
	}
	return nil
}

func checkURL(key, value string) error {
	if value == "" {
		return fmt.Errorf("%s is empty; give a URL such as https://NAME.REGION.kusto.windows.net", key)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a URL: %q", key, value)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("%s is %q; it must begin with https:// and name a host", key, value)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("%s is %q; only https is allowed, since tokens travel over it", key, value)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s must hold a host and perhaps a path, no credentials, query or fragment", key)
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
