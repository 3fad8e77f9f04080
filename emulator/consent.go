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
		c = entra.Consent{Granted: true, Without: exporterRoles(e)}
	}
	return e.entra.Tenants().Consent(o.ID, ExporterID, c)
}

// exporterRoles are the application permissions that the exporting application asks for.
func exporterRoles(e *Emulator) []string {
	app, _ := e.entra.App(ExporterID)
	return slices.Concat(slices.Collect(maps.Values(app.Roles))...)
}

// consented says whether the exporting application has any role in a tenant.
func consented(e *Emulator, o *organisation) bool {
	c := e.entra.Tenants().ConsentOf(o.ID, ExporterID)
	return c.Granted && slices.ContainsFunc(exporterRoles(e), func(role string) bool { return !slices.Contains(c.Without, role) })
}
