// Package config reads tvmexport's configuration: a YAML file, ${ENV}
// references in it, and TVMEXPORT_SECTION_KEY variables over it. It is strict:
// a key that it does not know is an error that names the nearest known one.
package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Config is the whole configuration. Default fills what is not set.
type Config struct {
	Defender    Defender   `yaml:"defender"`
	Assessment  Assessment `yaml:"assessment"`
	Auth        Auth       `yaml:"auth"`
	Destination string     `yaml:"destination"`
	Kusto       Kusto      `yaml:"kusto"`
	Lake        Lake       `yaml:"lake"`
	Functions   Functions  `yaml:"functions"`
	Layout      string     `yaml:"layout"`
	Retention   Retention  `yaml:"retention"`
	Publish     Publish    `yaml:"publish"`
	Snapshots   Snapshots  `yaml:"snapshots"`
	Drift       string     `yaml:"drift"`

	Lag         time.Duration `yaml:"lag" bounds:"least=0s"`
	Recount     time.Duration `yaml:"recount" bounds:"least=0s"`
	Resume      time.Duration `yaml:"resume" bounds:"least=0s"`
	Consistency string        `yaml:"consistency"`
	Lease       time.Duration `yaml:"lease" bounds:"least=1s"`

	Tables                  map[string]Columns `yaml:"tables"`
	PseudonymisationKey     Secret             `yaml:"pseudonymisation_key"`
	PseudonymisationKeyFile string             `yaml:"pseudonymisation_key_file"`

	Schedule string `yaml:"schedule"`
	Serve    Serve  `yaml:"serve"`
	CAFile   string `yaml:"ca_file"`

	Tenants    map[string]Tenant `yaml:"tenants"`
	TenantsDir string            `yaml:"tenants_dir"`
	Fleet      Fleet             `yaml:"fleet"`
}

// Snapshots says how tables of current state are exported.
type Snapshots struct {
	FullEvery time.Duration `yaml:"full_every" bounds:"least=1m"`
}

// Serve holds the schedules and the other settings of serve.
type Serve struct {
	Listen      string            `yaml:"listen"`
	Token       Secret            `yaml:"token"`
	TokenFile   string            `yaml:"token_file"`
	Certificate string            `yaml:"certificate"`
	Key         string            `yaml:"key"`
	ClientCA    string            `yaml:"client_ca"`
	Jitter      time.Duration     `yaml:"jitter" bounds:"least=0s"`
	Refresh     time.Duration     `yaml:"refresh" bounds:"least=10s"`
	Schedules   map[string]string `yaml:"schedules"`
}

// Columns are which columns of a table are published, which of them as
// pseudonyms, and which of them are not worth a fetch when they alone change.
type Columns struct {
	Include      []string `yaml:"include"`
	Exclude      []string `yaml:"exclude"`
	Pseudonymise []string `yaml:"pseudonymise"`
	Volatile     []string `yaml:"volatile"`
}

// Secret is a value that is never printed. It may come from a file: the key of a
// secret has a neighbour with _file behind its name, which holds the path.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// GoString hides the value.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Defender is the source.
type Defender struct {
	API            string  `yaml:"api"`
	Cloud          string  `yaml:"cloud"`
	Endpoint       string  `yaml:"endpoint"`
	Share          float64 `yaml:"share" bounds:"above=0 most=1"`
	CallsPerMinute int     `yaml:"calls_per_minute" bounds:"least=1"`
	CallsPerHour   int     `yaml:"calls_per_hour" bounds:"least=1"`
}

// Assessment is the second source: Defender's export assessment APIs, which have the
// tables Tvm*. It uses the cloud and the sign-in of Defender.
type Assessment struct {
	Endpoint string  `yaml:"endpoint"`
	Via      string  `yaml:"via"`
	Share    float64 `yaml:"share" bounds:"above=0 most=1"`
	Spool    Spool   `yaml:"spool"`
}

// Spool is where rows of the second source wait between the download and the
// comparison with the last run.
type Spool struct {
	Dir   string `yaml:"dir"`
	Bytes int    `yaml:"bytes" bounds:"least=1000000"`
}

// Auth is how to sign in. Secrets are not part of it: they come from the
// environment and from files that it or the environment names.
type Auth struct {
	Method                  string `yaml:"method"`
	TenantID                string `yaml:"tenant_id"`
	ClientID                string `yaml:"client_id"`
	ClientSecretFile        string `yaml:"client_secret_file"`
	Certificate             string `yaml:"certificate"`
	CertificatePasswordFile string `yaml:"certificate_password_file"`
	TokenFile               string `yaml:"token_file"`
	Authority               string `yaml:"authority"`
}

// Kusto is the destination.
type Kusto struct {
	Cluster      string   `yaml:"cluster"`
	Ingest       string   `yaml:"ingest"`
	Database     string   `yaml:"database"`
	TrustedHosts []string `yaml:"trusted_hosts"`
	Auth         Auth     `yaml:"auth"`
}

// The destinations.
const (
	ToKusto = "kusto"
	ToLake  = "lake"
)

// Destinations are the values of destination.
var Destinations = []string{ToKusto, ToLake}

// Lake is the destination without a database: a folder of Delta tables.
type Lake struct {
	Path string `yaml:"path"`
}

// Functions are the read functions that init makes.
type Functions struct {
	Prefix   string `yaml:"prefix"`
	Enriched bool   `yaml:"enriched"`
}

// Retention is how long tables that init makes keep rows, and how long these
// stay in the cluster's cache.
type Retention struct {
	Raw   time.Duration `yaml:"raw" bounds:"least=24h"`
	Typed time.Duration `yaml:"typed" bounds:"least=24h"`
	Hot   time.Duration `yaml:"hot" bounds:"least=24h"`
}

// Publish bounds the commands that move landed rows into published tables.
type Publish struct {
	Bytes int `yaml:"bytes" bounds:"least=1"`
}

// Default is the configuration before a file and the environment are read.
func Default() Config {
	return Config{
		Defender:   Defender{API: "graph", Cloud: "commercial", Share: 0.5, CallsPerMinute: 45, CallsPerHour: 1500},
		Assessment: Assessment{Via: "files", Share: 0.5, Spool: Spool{Bytes: 20_000_000_000}},
		Auth:       Auth{Method: "default"}, Destination: ToKusto, Lake: Lake{Path: "./tvm"},
		Layout: "both", Retention: Retention{Raw: 30 * day, Typed: 365 * day, Hot: 31 * day},
		Publish: Publish{Bytes: 1_000_000_000},

		Snapshots: Snapshots{FullEvery: 7 * 24 * time.Hour}, Drift: "evolve",
		Lag: 15 * time.Minute, Recount: 48 * time.Hour, Resume: 24 * time.Hour,
		Consistency: "partition", Lease: 3 * time.Minute,
		Schedule: "0 */6 * * *",
		Serve:    Serve{Listen: "127.0.0.1:9464", Refresh: 30 * time.Minute},
		Fleet:    Fleet{Engine: "local", Workers: 16, Commands: 16},
	}
}

// The values that the words of a configuration may have.
var (
	APIs   = []string{"graph", "xdr", "mde"}
	Clouds = []string{"commercial", "gcc", "gcc-high", "dod"}
	// Vias are how the second source reads a table: as files of a storage account, or
	// as pages of its API.
	Vias = []string{"files", "pages"}
	// Consistencies: each partition is the state that one answer gave, or the
	// whole table is the state of one moment.
	Consistencies = []string{"partition", "table"}
	// Layouts are where rows are published: as records, in Defender's columns.
	Layouts = []string{"raw", "typed", "both"}
	// Drifts are what becomes of columns that appear at the source.
	Drifts  = []string{"evolve", "freeze", "raw"}
	Methods = []string{"default", "secret", "certificate", "managed-identity", "workload-identity", "azure-cli"}
)

// words are the keys whose values are words, with the words that they take.
func words() map[string][]string {
	return map[string][]string{
		"destination": Destinations, "defender.api": APIs, "defender.cloud": Clouds, "assessment.via": Vias, "consistency": Consistencies, "drift": Drifts, "layout": Layouts,
		"auth.method": Methods, "kusto.auth.method": append([]string{""}, Methods...), "fleet.engine": Engines,
	}
}

// Wrong is a value that cannot be meant. Its text names the key.
type Wrong struct {
	Key  string
	Text string
}

// Error is the text.
func (w *Wrong) Error() string { return w.Text }

// wrong is about the value of a key: "key " and what is wrong with it.
func wrong(key, format string, args ...any) error {
	return &Wrong{Key: key, Text: key + " " + fmt.Sprintf(format, args...)}
}

// Check says what is wrong with the values, in one sentence that names the key. Where
// there are tenants, what only they need may be missing; each of them is checked itself.
func (c Config) Check() error {
	single := !c.HasTenants()
	kusto := single && c.Destination != ToLake
	known := words()
	for _, f := range c.fields() {
		words, ok := known[f.Path]
		if value := f.value.String(); ok && !slices.Contains(words, value) {
			return wrong(f.Path, "is %q; it must be one of %s", value, strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" }), ", "))
		}
		if err := f.bounds.check(f); err != nil {
			return err
		}
	}
	for _, u := range []struct {
		key, value string
		required   bool
	}{
		{"kusto.cluster", c.Kusto.Cluster, kusto},
		{"kusto.ingest", c.Kusto.Ingest, false},
		{"defender.endpoint", c.Defender.Endpoint, false},
		{"assessment.endpoint", c.Assessment.Endpoint, false},
		{"auth.authority", c.Auth.Authority, false},
		{"kusto.auth.authority", c.Kusto.Auth.Authority, false},
		{"fleet.cluster", c.Fleet.Cluster, false},
	} {
		if u.value == "" && !u.required {
			continue
		}
		if err := checkURL(u.key, u.value); err != nil {
			return err
		}
	}
	if c.Layout == "typed" && c.Drift == "raw" {
		return wrong("drift", "is %q, which keeps new columns only in records, but layout is %q, which has no records", c.Drift, c.Layout)
	}
	if p := c.Functions.Prefix; p != "" {
		if err := tvmexport.CheckIdentifier("prefix", p); err != nil {
			return wrong("functions.prefix", "is not a valid prefix of a function name: %v", err)
		}
	}
	if err := c.Fleet.check(); err != nil {
		return err
	}
	if c.Kusto.Database == "" && kusto {
		return wrong("kusto.database", "is empty; set it to the name of the destination database")
	}
	if c.Destination == ToLake && c.Lake.Path == "" {
		return wrong("lake.path", "is empty; set it to a folder, such as ./tvm")
	}
	for _, table := range slices.Sorted(maps.Keys(c.Serve.Schedules)) {
		if err := tvmexport.CheckIdentifier("table", table); err != nil {
			return wrong("serve.schedules."+table, "is not a table name: %v", err)
		}
	}
	return c.checkColumns(single)
}

// leastSecret is how long a key of pseudonyms must be: short ones can be found
// by trying.
const leastSecret = 16

// checkColumns returns the errors of the column policy that can be found without
// the tables. The key of pseudonyms may be missing if each tenant has its own.
func (c Config) checkColumns(single bool) error {
	pseudonyms := false
	for _, table := range slices.Sorted(maps.Keys(c.Tables)) {
		key, t := "tables."+table, c.Tables[table]
		if err := tvmexport.CheckIdentifier("table", table); err != nil {
			return wrong(key, "is not a table name: %v", err)
		}
		for _, list := range []struct {
			name    string
			columns []string
		}{{"include", t.Include}, {"exclude", t.Exclude}, {"pseudonymise", t.Pseudonymise}, {"volatile", t.Volatile}} {
			for i, column := range list.columns {
				if err := tvmexport.CheckIdentifier("column", column); err != nil {
					return wrong(key+"."+list.name, "contains an invalid column name: %v", err)
				}
				if slices.Contains(list.columns[:i], column) {
					return wrong(key+"."+list.name, "names %s twice", column)
				}
			}
		}
		if len(t.Include) > 0 && len(t.Exclude) > 0 {
			return wrong(key, "has both include and exclude; set only one of them")
		}
		for _, column := range t.Pseudonymise {
			if slices.Contains(t.Exclude, column) || len(t.Include) > 0 && !slices.Contains(t.Include, column) {
				return wrong(key+".pseudonymise", "names %s, which is not published", column)
			}
		}
		pseudonyms = pseudonyms || len(t.Pseudonymise) > 0
	}
	switch n := len(c.PseudonymisationKey); {
	case pseudonyms && n == 0 && single:
		return wrong("pseudonymisation_key", "is empty, but tables use pseudonyms; set pseudonymisation_key_file to the path of a file with the key, or TVMEXPORT_PSEUDONYMISATION_KEY (openssl rand -base64 32 generates one)")
	case n > 0 && n < leastSecret:
		return wrong("pseudonymisation_key", "has %d characters; it must have at least %d (openssl rand -base64 32 generates one)", n, leastSecret)
	}
	return nil
}

func checkURL(key, value string) error {
	if value == "" {
		return wrong(key, "is empty; set it to a URL such as https://NAME.REGION.kusto.windows.net")
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return wrong(key, "is not a URL: %q", value)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return wrong(key, "is %q; it must begin with https:// and contain a host", value)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return wrong(key, "is %q; only https is allowed, because tokens are sent over it", value)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return wrong(key, "must contain a host and optionally a path, but no credentials, query or fragment")
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
