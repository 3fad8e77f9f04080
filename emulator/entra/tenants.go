package entra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// directory is a tenant: which applications have a service principal there, and with which roles.
type directory struct {
	id   string // in lower case
	home bool   // the applications are registered here

	mu       sync.Mutex
	consents map[string]Consent // by id of the application
}

// Consent is what an administrator of a tenant has consented to for one application. The zero
// Consent is none: the application has no service principal in the tenant.
type Consent struct {
	Granted bool
	Without []string // application permissions that are not granted, such as ThreatHunting.Read.All
}

// Tenants are all tenants of a Server, with what their administrators have consented to. Its
// methods may be called from several goroutines at once.
type Tenants struct {
	home   string // id in lower case
	apps   map[string]App
	byName map[string]*directory // by id and by domain, in lower case
}

// newTenants makes the directories. Of the home tenant, each application has a service principal.
func newTenants(o Options, apps map[string]App) (*Tenants, error) {
	home := &directory{id: strings.ToLower(o.TenantID), home: true, consents: map[string]Consent{}}
	for id := range apps {
		home.consents[id] = Consent{Granted: true}
	}
	t := &Tenants{home: home.id, apps: apps, byName: map[string]*directory{}}
	if err := t.add(home, o.Domain); err != nil {
		return nil, err
	}
	for _, c := range o.Customers {
		d := &directory{id: strings.ToLower(c.ID), consents: map[string]Consent{}}
		if err := t.add(d, c.Domain); err != nil {
			return nil, err
		}
		for _, app := range c.Apps {
			if err := t.Consent(c.ID, app, Consent{Granted: true}); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *Tenants) add(d *directory, domain string) error {
	if d.id == "" {
		return fmt.Errorf("entra: a tenant of Options.Customers has no id")
	}
	for _, name := range []string{d.id, strings.ToLower(domain)} {
		if name == "" {
			continue
		}
		if t.byName[name] != nil || name == adfsTenant {
			return fmt.Errorf("entra: the name %s is that of two tenants", name)
		}
		t.byName[name] = d
	}
	return nil
}

// directory is the tenant that a path segment names, or nil. "adfs" is the home tenant:
// official clients ask an authority of that name without looking it up at
// login.microsoftonline.com first, so they reach a local authority unmodified.
func (t *Tenants) directory(segment string) *directory {
	segment = strings.ToLower(segment)
	if segment == adfsTenant {
		segment = t.home
	}
	return t.byName[segment]
}

const adfsTenant = "adfs"

// ID is the id of the tenant that a name means: an id, a domain, or "adfs". "" is the
// answer for a tenant that there is not.
func (t *Tenants) ID(name string) string {
	if d := t.directory(name); d != nil {
		return d.id
	}
	return ""
}

// Consent replaces what a tenant has consented to for an application. Tokens that were issued
// before keep their roles until they expire, as those of Entra do.
func (t *Tenants) Consent(tenant, appID string, c Consent) error {
	d := t.directory(tenant)
	if d == nil {
		return fmt.Errorf("entra: no tenant %s; name it in Options.Customers", tenant)
	}
	app, ok := t.apps[strings.ToLower(appID)]
	switch {
	case !ok:
		return fmt.Errorf("entra: no application %s; register it in Options.Apps", appID)
	case !d.home && !app.MultiTenant:
		return fmt.Errorf("entra: application %s is not multi-tenant; tenant %s cannot consent to it", appID, tenant)
	}
	c.Without = slices.Clone(c.Without)
	for i, role := range c.Without {
		at := slices.IndexFunc(app.roles(), func(r string) bool { return strings.EqualFold(r, role) })
		if at < 0 {
			return fmt.Errorf("entra: application %s does not ask for the role %q; it asks for %v", appID, role, app.roles())
		}
		c.Without[i] = app.roles()[at]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.consents[app.ID] = c
	return nil
}

// ConsentOf is what a tenant has consented to for an application.
func (t *Tenants) ConsentOf(tenant, appID string) Consent {
	d := t.directory(tenant)
	if d == nil {
		return Consent{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.consents[strings.ToLower(appID)]
}

// principal is an application as its service principal in the tenant is; false if there is none.
func (d *directory) principal(app App) (App, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.consents[app.ID]
	if !c.Granted {
		return app, false
	}
	if !d.home {
		app.ObjectID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("service principal of "+app.ID+" in "+d.id)).String()
	}
	if len(c.Without) == 0 {
		return app, true
	}
	roles := make(map[string][]string, len(app.Roles))
	for resource, list := range app.Roles {
		roles[resource] = slices.DeleteFunc(slices.Clone(list), func(role string) bool { return slices.Contains(c.Without, role) })
	}
	app.Roles = roles
	return app, true
}

// roles are the application permissions that the application asks for, sorted.
func (a App) roles() []string {
	all := slices.Concat(slices.Collect(maps.Values(a.Roles))...)
	slices.Sort(all)
	return slices.Compact(all)
}
