package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// Tenant holds the settings that may differ from tenant to tenant. A tenant has those
// of the top where its own part of the configuration does not name them.
type Tenant struct {
	Defender   Defender           `yaml:"defender"`
	Assessment Assessment         `yaml:"assessment"`
	Auth       Auth               `yaml:"auth"`
	Kusto      Kusto              `yaml:"kusto"`
	Retention  Retention          `yaml:"retention"`
	Tables     map[string]Columns `yaml:"tables"`
	Schedule   string             `yaml:"schedule"`

	PseudonymisationKey     Secret `yaml:"pseudonymisation_key"`
	PseudonymisationKeyFile string `yaml:"pseudonymisation_key_file"`
}

// Fleet says how many tenants share one process, and where functions over all of them are.
type Fleet struct {
	Engine   string `yaml:"engine"`
	Workers  int    `yaml:"workers" bounds:"least=1 most=1000"`
	Commands int    `yaml:"commands" bounds:"least=1 most=10000"`
	Cluster  string `yaml:"cluster"`
	Database string `yaml:"database"`

	Temporal Temporal `yaml:"temporal"`
}

// Temporal is how to reach the Temporal cluster that distributes the runs of tenants. What
// is not set comes from the variables of Temporal's own tools.
type Temporal struct {
	Address     string `yaml:"address"`
	Namespace   string `yaml:"namespace"`
	APIKey      Secret `yaml:"api_key"`
	APIKeyFile  string `yaml:"api_key_file"`
	TLS         bool   `yaml:"tls"`
	CAFile      string `yaml:"ca_file"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	ServerName  string `yaml:"server_name"`
}

// check says what is wrong with how the tenants share their work.
func (f Fleet) check() error {
	t := f.Temporal
	host, port, err := net.SplitHostPort(t.Address)
	switch {
	case t.Address != "" && (err != nil || host == "" || port == ""):
		return wrong("fleet.temporal.address", "is %q; it must be HOST:PORT, such as 127.0.0.1:7233", t.Address)
	case (t.Certificate == "") != (t.Key == ""):
		return wrong("fleet.temporal.certificate", "and fleet.temporal.key belong together; set both or none of them")
	}
	return nil
}

// Secured says whether the connection uses TLS. Everything that identifies a client
// or a server needs it.
func (t Temporal) Secured() bool {
	return t.TLS || t.APIKey != "" || t.CAFile != "" || t.Certificate != "" || t.ServerName != ""
}

// Engines are what distributes the runs of tenants: this process, or a Temporal
// cluster over several workers.
var Engines = []string{"local", Distributed}

// Distributed is the engine whose runs are distributed over workers.
const Distributed = "temporal"

// Member is a tenant of a configuration.
type Member struct {
	Name   string
	Config Config // all settings of this tenant
	// Home is how the top of the configuration signs in. The cluster is signed in to
	// with it where kusto.auth says nothing else, because a tenant's own auth is an
	// identity in the customer's directory.
	Home Auth
	// Err says why the tenant's settings cannot be used; Config is then not set.
	Err error
}

// Variable is the name of the environment variable that overrides a key of this
// tenant, such as TVMEXPORT_TENANTS_CONTOSO_KUSTO_DATABASE.
func (m Member) Variable(key string) string {
	return variableOf(m.Name) + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Variables are the names of all variables that override keys of this tenant.
func (m Member) Variables() []string {
	var out []string
	walk(reflect.ValueOf(Tenant{}), "", func(f Field) {
		if !strings.Contains(f.Path, "*") {
			out = append(out, m.Variable(f.Path))
		}
	})
	return out
}

// variableOf is the beginning of the names of a tenant's variables.
func variableOf(name string) string {
	return prefix + "_TENANTS_" + strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(name))
}

// tenantName matches the names of tenants. They are parts of file names, of variables
// and of URLs.
var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckTenantName says what is wrong with the name of a tenant.
func CheckTenantName(name string) error {
	if tenantName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q is not a name of a tenant; a name has up to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or a digit", shown(name, mostShown))
}

// HasTenants says whether the configuration is that of several tenants.
func (c Config) HasTenants() bool { return len(c.Tenants) > 0 || c.TenantsDir != "" }

// settings are those of the configuration that a tenant may change.
func (c Config) settings() Tenant {
	t := Tenant{
		Defender: c.Defender, Assessment: c.Assessment, Auth: c.Auth, Kusto: c.Kusto, Retention: c.Retention,
		Tables: maps.Clone(c.Tables), Schedule: c.Schedule,
		PseudonymisationKey: c.PseudonymisationKey, PseudonymisationKeyFile: c.PseudonymisationKeyFile,
	}
	t.Kusto.TrustedHosts = slices.Clone(c.Kusto.TrustedHosts)
	return t
}

// with is the configuration with a tenant's settings. It has no tenants itself.
func (c Config) with(t Tenant) Config {
	c.Defender, c.Assessment, c.Auth, c.Kusto, c.Retention, c.Tables, c.Schedule = t.Defender, t.Assessment, t.Auth, t.Kusto, t.Retention, t.Tables, t.Schedule
	c.PseudonymisationKey, c.PseudonymisationKeyFile = t.PseudonymisationKey, t.PseudonymisationKeyFile
	c.Tenants, c.TenantsDir = nil, ""
	return c
}

// inline reads the tenants that the file itself names, over the top.
func (r *reading) inline(top *Config) []Member {
	if r.tenants == nil {
		return nil
	}
	var members []Member
	for _, pair := range r.pairs(r.tenants, "tenants") {
		name := pair.Key.GetToken().Value
		if err := CheckTenantName(name); err != nil {
			r.fail(pair.Key, "tenants: %s", err)
			continue
		}
		at := pair.Key.GetToken().Position
		r.places["tenants."+name] = place{line: at.Line, column: at.Column}
		m := Member{Name: name, Home: top.Auth}
		t := r.tenant(pair.Value, *top, m, "tenants."+name)
		if top.Tenants == nil {
			top.Tenants = map[string]Tenant{}
		}
		top.Tenants[name] = t
		m.Config = top.with(t)
		members = append(members, m)
	}
	return members
}

// tenant reads a tenant's settings at n, and its variables, over those of the top.
func (r *reading) tenant(n ast.Node, top Config, m Member, path string) Tenant {
	t := top.settings()
	to := reflect.ValueOf(&t).Elem()
	if n != nil {
		r.decode(n, to, path)
	}
	r.override(to, path, variableOf(m.Name))
	r.ownSecrets(&t, top, path)
	r.readSecrets(to, path)
	return t
}

// ownSecrets drops what a tenant must not take over from the top: a secret of another
// application, and a key that a file of the tenant replaces.
func (r *reading) ownSecrets(t *Tenant, top Config, path string) {
	named := func(key string) bool { _, ok := r.places[strings.TrimPrefix(path+"."+key, ".")]; return ok }
	if t.Auth.ClientID != top.Auth.ClientID {
		if !named("auth.client_secret_file") {
			t.Auth.ClientSecretFile = ""
		}
		if !named("auth.certificate") {
			t.Auth.Certificate, t.Auth.CertificatePasswordFile = "", ""
		}
	}
	if named("pseudonymisation_key_file") && !named("pseudonymisation_key") {
		t.PseudonymisationKey = ""
	}
}

// inFolder reads the tenants of a folder: NAME.yaml has the settings of NAME. A file
// that cannot be used does not keep the others from being used.
func (r *reading) inFolder(top Config) ([]Member, error) {
	entries, err := os.ReadDir(top.TenantsDir)
	if err != nil {
		return nil, r.locate(wrong("tenants_dir", "cannot be read: %v", err))
	}
	var members []Member
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if strings.HasPrefix(e.Name(), ".") || ext != ".yaml" && ext != ".yml" {
			continue
		}
		m := Member{Name: strings.TrimSuffix(e.Name(), ext), Home: top.Auth}
		file := filepath.Join(top.TenantsDir, e.Name())
		m.Config, m.Err = r.fileOf(file, top, m)
		members = append(members, m)
	}
	return members, nil
}

// fileOf reads the file of one tenant.
func (r *reading) fileOf(file string, top Config, m Member) (Config, error) {
	if err := CheckTenantName(m.Name); err != nil {
		return Config{}, &Error{File: file, Message: err.Error()}
	}
	text, err := smallfile.Read(file, mostBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, &Error{File: file, Message: "the file is gone; it was removed while the folder was read"}
	}
	if err != nil {
		return Config{}, fmt.Errorf("read the settings of tenant %s: %w", m.Name, err)
	}
	own := reading{file: file, env: r.env, places: map[string]place{}, above: r}
	body, err := own.parse(text)
	if err != nil {
		return Config{}, err
	}
	c := top.with(own.tenant(body, top, m, ""))
	if err := own.told(); err != nil {
		return Config{}, err
	}
	return c, own.checkMember(c, m.Name, "")
}

// parse reads the text of a file that has one mapping.
func (r *reading) parse(text []byte) (ast.Node, error) {
	list, err := r.tokens(text)
	if err != nil {
		return nil, err
	}
	file, err := parser.Parse(list, 0)
	if err != nil {
		return nil, placed(r.file, err)
	}
	for _, doc := range file.Docs { // tokens refuses a second document
		if doc.Body != nil {
			return doc.Body, nil
		}
	}
	return nil, nil
}

// checkMember says what is wrong with a tenant's settings, and where they were given.
func (r *reading) checkMember(c Config, name, path string) error {
	err := c.Check()
	if named := strings.TrimPrefix(path+".auth.tenant_id", "."); err == nil && r.places[named] == (place{}) {
		return r.at(r.places[path], fmt.Sprintf("tenant %s: auth.tenant_id is not set; it names the customer's tenant, and there is no default tenant", name))
	}
	var w *Wrong
	if !errors.As(err, &w) {
		return err
	}
	text := shown(fmt.Sprintf("tenant %s: %s", name, w.Text), mostMessage)
	if at, ok := r.places[strings.TrimPrefix(path+"."+w.Key, ".")]; ok {
		return r.at(at, text)
	}
	for top := r; top != nil; top = top.above {
		if at, ok := top.places[w.Key]; ok && (top != r || path != "") {
			return top.at(at, text)
		}
	}
	return r.at(r.places[path], text)
}

// at is a mistake at a place.
func (r *reading) at(p place, text string) error {
	if p.variable != "" {
		return &Error{File: p.variable, Message: text}
	}
	return &Error{File: r.file, Line: p.line, Column: p.column, Message: text}
}

// apart finds tenants that cannot both be exported, and gives the later one of each
// pair an error: one database holds one tenant, and one tenant has one quota.
func apart(members []Member) {
	slices.SortStableFunc(members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	names, databases, tenants := map[string]string{}, map[string]string{}, map[string]string{}
	for i := range members {
		m := &members[i]
		if first, ok := names[variableOf(m.Name)]; ok {
			m.Err = fmt.Errorf("tenant %s: its name differs from %s only in case or punctuation; choose another one", m.Name, first)
			continue
		}
		names[variableOf(m.Name)] = m.Name
		if m.Err != nil {
			continue
		}
		c := m.Config
		database, key := strings.ToLower(strings.TrimRight(c.Kusto.Cluster, "/"))+" "+c.Kusto.Database, "kusto.database"
		if c.Destination == ToLake {
			database, key = "lake "+filepath.Clean(c.Lake.Path), "lake.path"
		}
		tenant := strings.ToLower(c.Auth.TenantID + " " + c.Defender.Endpoint)
		if first, ok := databases[database]; ok {
			m.Err = fmt.Errorf("tenant %s: %s is that of tenant %s; each tenant needs a destination of its own", m.Name, key, first)
			continue
		}
		if first, ok := tenants[tenant]; ok {
			m.Err = fmt.Errorf("tenant %s: auth.tenant_id is that of tenant %s; a tenant that is configured twice would use its quota twice", m.Name, first)
			continue
		}
		databases[database], tenants[tenant] = m.Name, m.Name
	}
}
