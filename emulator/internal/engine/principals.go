package engine

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
)

// principalType is what results call a kind of principal.
func principalType(fqn string) string {
	kind, _, _ := strings.Cut(fqn, "=")
	switch kind {
	case "aaduser", "msauser":
		return "Microsoft Entra user"
	case "aadgroup":
		return "Microsoft Entra group"
	}
	return "Microsoft Entra application"
}

func (a assignment) displayName() string {
	_, id, _ := strings.Cut(a.fqn, "=")
	id, _, _ = strings.Cut(id, ";")
	if a.name == "" {
		return id
	}
	return a.name + " (app id: " + id + ")"
}

// roleTitles are, per scope, the prefix of a role's name in results.
var roleTitles = map[command.Scope]string{
	command.Database: "Database", command.Table: "Table", command.Function: "Function", command.View: "MaterializedView",
}

// principalRows has the columns of the page on .show database principals.
func principalRows(scope command.Scope, name string, list []assignment) *rows {
	r := &rows{columns: stringColumns("Role", "PrincipalType", "PrincipalDisplayName", "PrincipalObjectId", "PrincipalFQN",
		"Notes", "RoleAssignmentIdentifier")}
	for _, a := range list {
		r.addText(roleTitles[scope]+" "+name+" "+a.role.String(), principalType(a.fqn), a.displayName(), a.of, a.fqn, a.note, a.id.String())
	}
	return r
}

// showPrincipals is .show database|table|function N principals, for admins and
// monitors.
func showPrincipals(s *session, c *command.ShowPrincipals) (*rows, error) {
	if c.Scope == command.Cluster {
		return showClusterPrincipals(s)
	}
	name := c.Name
	if name == "" {
		name = s.call.Database
	}
	sc, a, err := s.entity(c.Scope, name)
	if err != nil {
		return nil, err
	}
	if !sc.state.holds(s.call.Principal, Monitor) {
		if err := sc.of(string(c.Scope), name, a).require(s.call.Principal, Admin); err != nil {
			return nil, err
		}
	}
	list := a.principals
	if c.Scope == command.Table || c.Scope == command.View {
		r := principalRows(c.Scope, name, list)
		r.rows = append(principalRows(command.Database, sc.db.name, sc.state.principals).rows, r.rows...)
		return r, nil
	}
	return principalRows(c.Scope, name, list), nil
}

// showRoles is .show principal roles: what the caller holds, or, for a
// database's admin, what somebody else holds there.
func showRoles(s *session, c *command.ShowRoles) (*rows, error) {
	r := &rows{columns: stringColumns("Scope", "DisplayName", "AADObjectID", "Role")}
	caller := s.call.Principal
	match := func(a assignment) bool { return a.is(caller) }
	if c.Principal != "" && !equalFold(c.Principal, caller.FQN()) {
		if _, err := s.scopeFor(Admin); err != nil {
			return nil, err
		}
		match = func(a assignment) bool { return equalFold(a.fqn, c.Principal) }
	} else if s.e.databases.isAdmin(caller) {
		r.addText("Cluster", assignment{fqn: caller.FQN(), name: caller.Name}.displayName(), caller.ObjectID, "AllDatabasesAdmin")
	}
	add := func(scope string, list []assignment) {
		for _, a := range list {
			if match(a) {
				r.addText(scope, a.displayName(), a.of, a.role.String())
			}
		}
	}
	for _, d := range s.e.databases.sorted() {
		state := d.present.Load()
		add("Database "+d.name, state.principals)
		for _, t := range state.sortedTables() {
			add("Table "+d.name+"."+t.name, t.principals)
		}
		for _, f := range sortedFunctions(state) {
			add("Function "+d.name+"."+f.name, f.principals)
		}
	}
	return r, nil
}

// allowedRoles are the roles that an entity can give.
var allowedRoles = map[command.Scope][]Role{
	command.Database: {Admin, User, Viewer, UnrestrictedViewer, Ingestor, Monitor},
	command.Table:    {Admin, Ingestor},
	command.Function: {Admin},
	command.View:     {Admin},
}

// changePrincipals is .add, .drop and .set database|table|function N role (...).
func changePrincipals(s *session, c *command.ChangePrincipals) (*rows, error) {
	role, ok := roleOf(c.Role)
	if !ok || !slices.Contains(allowedRoles[c.Scope], role) {
		return nil, semantic("A %s has no role '%s'", c.Scope, c.Role)
	}
	if c.Scope == command.Database && c.Name == "" {
		c.Name = s.call.Database
	}
	sc, a, err := s.entity(c.Scope, c.Name)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), c.Name, a).require(s.call.Principal, Admin); err != nil {
		return nil, err
	}
	var fqns []string
	for _, p := range c.Principals {
		fqn, err := parsePrincipal(p)
		if err != nil {
			return nil, err
		}
		fqns = append(fqns, fqn)
	}
	var list []assignment
	err = sc.db.update(func(state *state) error {
		a, err := state.editAttributes(c.Scope, c.Name)
		if err != nil {
			return err
		}
		if c.Verb != command.Add {
			a.principals = slices.DeleteFunc(slices.Clone(a.principals), func(x assignment) bool {
				return x.role == role && (c.Verb == command.Set ||
					slices.ContainsFunc(fqns, func(fqn string) bool { return equalFold(fqn, x.fqn) }))
			})
		}
		if c.Verb != command.Drop {
			for _, fqn := range fqns {
				a.grant(assignment{role: role, fqn: fqn, id: newID(), note: c.Note})
			}
		}
		list = a.principals
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.SkipResults {
		list = nil
	}
	return principalRows(c.Scope, c.Name, list), nil
}
