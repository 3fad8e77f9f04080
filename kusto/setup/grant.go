package setup

import (
	"context"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

// Grant gives a principal, such as aadapp=ID;TENANT, the roles of the database that an
// exporter needs: users and ingestors. It needs the role of an administrator. A role that
// the principal has is not an error.
func (c *Installer) Grant(ctx context.Context, principal string) error {
	if err := CheckPrincipal(principal); err != nil {
		return err
	}
	for _, role := range []string{"users", "ingestors"} {
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "init", Text: c.conn.AddRole(role, principal)}); err != nil {
			return err
		}
	}
	return nil
}
