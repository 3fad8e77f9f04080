package emulator

import (
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

// Consent replaces what a tenant, by its name, has consented to for the exporting application.
// Without consent, the application has no service principal in the tenant. In the home tenant,
// where it is registered, it keeps one, without roles.
func (e *Emulator) Consent(tenant string, c entra.Consent) error {
	o, err := e.tenants.named(tenant)
	if err != nil {
		return err
	}
	if o == e.tenants.home() && !c.Granted {
		c = entra.Consent{Granted: true, Without: e.exporterRoles()}
	}
	return e.entra.Consent(o.ID, ExporterID, c)
}

// exporterRoles are the application permissions that the exporting application asks for.
func (e *Emulator) exporterRoles() []string {
	app, _ := e.entra.App(ExporterID)
	return slices.Concat(slices.Collect(maps.Values(app.Roles))...)
}

// consented says whether the exporting application has any role in a tenant.
func (e *Emulator) consented(o *organisation) bool {
	c := e.entra.ConsentOf(o.ID, ExporterID)
	return c.Granted && slices.ContainsFunc(e.exporterRoles(), func(role string) bool { return !slices.Contains(c.Without, role) })
}
