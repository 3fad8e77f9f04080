package engine

import (
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
)

// showClusterPrincipals is .show cluster principals: who administers all databases. See
// https://learn.microsoft.com/kusto/management/show-cluster-principals-command.
func showClusterPrincipals(s *session) (*rows, error) {
	if !s.e.databases.isAdmin(s.call.Principal) {
		return nil, forbidden(s.call.Principal, "show the principals of the cluster: it needs the role AllDatabasesAdmin")
	}
	r := principalRows(command.Cluster, "", nil)
	for _, p := range s.e.o.Admins {
		a := assignment{fqn: p.FQN(), name: p.Name, of: p.ObjectID}
		r.addText("AllDatabasesAdmin", principalType(a.fqn), a.displayName(), a.of, a.fqn, "", "")
	}
	return r, nil
}

// setPrettyName is .alter and .drop database prettyname, for admins of the database. See
// https://learn.microsoft.com/kusto/management/alter-database-prettyname.
func setPrettyName(s *session, c *command.PrettyName) (*rows, error) {
	sc, err := s.named(c.Database, Admin)
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		state.prettyName = c.Text
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := &rows{columns: stringColumns("DatabaseName", "PrettyName", "Status")}
	r.addText(sc.db.name, c.Text, "Complete")
	return r, nil
}

// refreshCache has nothing to refresh: policies hold at once.
func refreshCache(*session, *command.RefreshCache) (*rows, error) {
	return &rows{columns: stringColumns("Result")}, nil
}
