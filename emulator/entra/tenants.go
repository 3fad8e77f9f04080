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

// addTenants makes the directories. Of the home tenant, each application has a service principal.
func (s *Server) addTenants(o Options) error {
	home := &directory{id: s.tenantID, home: true, consents: map[string]Consent{}}
	for id := range s.apps {
		home.consents[id] = Consent{Granted: true}
	}
	s.tenants = map[string]*directory{}
	if err := s.addTenant(home, o.Domain); err != nil {
		return err
	}
	for _, c := range o.Customers {
		d := &directory{id: strings.ToLower(c.ID), consents: map[string]Consent{}}
		if err := s.addTenant(d, c.Domain); err != nil {
			return err
		}
		for _, app := range c.Apps {
			if err := s.Consent(c.ID, app, Consent{Granted: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) addTenant(d *directory, domain string) error {
	if d.id == "" {
		return fmt.Errorf("entra: a tenant of Options.Customers has no id")
	}
	for _, name := range []string{d.id, strings.ToLower(domain)} {
		if name == "" {
			continue
		}
		if s.tenants[name] != nil || name == adfsTenant {
			return fmt.Errorf("entra: the name %s is that of two tenants", name)
		}
		s.tenants[name] = d
	}
	return nil
}

// directory is the tenant that a path segment names, or nil. "adfs" is the home tenant:
// official clients ask an authority of that name without looking it up at
// login.microsoftonline.com first, so they reach a local authority unmodified.
func (s *Server) directory(segment string) *directory {
	segment = strings.ToLower(segment)
	if segment == adfsTenant {
		segment = s.tenantID
	}
	return s.tenants[segment]
}

const adfsTenant = "adfs"

// TenantID is the id of the tenant that a name means: an id, a domain, or "adfs". "" is the
// answer for a tenant that there is not.
func (s *Server) TenantID(name string) string {
	if d := s.directory(name); d != nil {
		return d.id
	}
	return ""
}

// Consent replaces what a tenant has consented to for an application. Tokens that were issued
// before keep their roles until they expire, as those of Entra do.
func (s *Server) Consent(tenant, appID string, c Consent) error {
	d := s.directory(tenant)
	if d == nil {
		return fmt.Errorf("entra: no tenant %s; name it in Options.Customers", tenant)
	}
	app, ok := s.App(appID)
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
func (s *Server) ConsentOf(tenant, appID string) Consent {
	d := s.directory(tenant)
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
