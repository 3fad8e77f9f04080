package conn

import (
	"fmt"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

// AddRole is the command by which an administrator gives a principal, such as
// aadapp=ID;TENANT, a role of the database: users, ingestors, viewers.
func (c *Conn) AddRole(role, principal string) string {
	return fmt.Sprintf(".add database %s %s ('%s') 'tvmexport'", kql.Entity(c.Database), role, principal)
}
