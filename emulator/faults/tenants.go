package faults

import (
	"fmt"
	"net/http"
	"strings"
)

// Tenants says whose a request is, for rules that are limited to a tenant.
type Tenants struct {
	Known func(name string) bool
	// Of names the tenant of a request, "" if it is none's. database is the one that a request
	// to a cluster names, or the message of a delivery, for which r is nil.
	Of func(at Endpoint, r *http.Request, database string) string
}

// Separate makes the set distinguish tenants. Without it, no rule can be limited to a tenant.
// It is called before the first request.
func (s *Set) Separate(t Tenants) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenants = t
}

// tenantOf names the tenant of a request, "" if it is none's.
func (s *Set) tenantOf(at Endpoint, r *http.Request, database string) string {
	s.mu.Lock()
	of := s.tenants.Of
	s.mu.Unlock()
	if of == nil {
		return ""
	}
	return of(at, r, database)
}

// checkTenant refuses a rule for a tenant that there is not. s.mu is held.
func (s *Set) checkTenant(r Rule) error {
	if r.Tenant == "" || s.tenants.Known != nil && s.tenants.Known(r.Tenant) {
		return nil
	}
	return fmt.Errorf("there is no tenant %q; GET tenants of the control API lists them", r.Tenant)
}

// isOf says whether a rule applies to what a tenant does.
func (rule Rule) isOf(tenant string) bool {
	return rule.Tenant == "" || strings.EqualFold(rule.Tenant, tenant)
}
