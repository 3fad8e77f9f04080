package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Role is what a principal may do in the scope of a database or of one entity
// in it. See https://learn.microsoft.com/kusto/access-control/role-based-access-control.
type Role uint8

// The roles.
const (
	Admin              Role = iota + 1 // everything in the scope
	User                               // reads all, creates tables and functions
	Viewer                             // reads all but restricted tables
	UnrestrictedViewer                 // with Viewer: reads restricted tables too
	Ingestor                           // ingests, reads nothing
	Monitor                            // .show commands
)

// roleWords are the roles as commands and as results name them.
var roleWords = map[Role]struct{ plural, title string }{
	Admin:              {"admins", "Admin"},
	User:               {"users", "User"},
	Viewer:             {"viewers", "Viewer"},
	UnrestrictedViewer: {"unrestrictedviewers", "UnrestrictedViewer"},
	Ingestor:           {"ingestors", "Ingestor"},
	Monitor:            {"monitors", "Monitor"},
}

// String is the role's name as results show it: UnrestrictedViewer.
func (r Role) String() string { return roleWords[r].title }

func roleOf(plural string) (Role, bool) {
	for r, w := range roleWords {
		if w.plural == plural {
			return r, true
		}
	}
	return 0, false
}

// assignment gives a principal a role.
type assignment struct {
	role Role
	fqn  string // aadapp=<appid>;<tenant>, or of another kind, which nobody here can be
	id   uuid.UUID
	name string
	note string
	of   string // object id, if known
}

// is says whether the assignment is for p.
func (a assignment) is(p Principal) bool {
	who, ok := strings.CutPrefix(a.fqn, "aadapp=")
	if !ok || p.AppID == "" {
		return false
	}
	app, tenant, _ := strings.Cut(who, ";")
	return strings.EqualFold(app, p.AppID) && (tenant == "" || strings.EqualFold(tenant, p.TenantID))
}

// holds says whether p has one of the roles by these assignments.
func (a *attributes) holds(p Principal, roles ...Role) bool {
	return slices.ContainsFunc(a.principals, func(x assignment) bool {
		return slices.Contains(roles, x.role) && x.is(p)
	})
}

// grant gives p a role unless it has it.
func (a *attributes) grant(x assignment) {
	for _, y := range a.principals {
		if y.role == x.role && strings.EqualFold(y.fqn, x.fqn) {
			return
		}
	}
	a.principals = append(slices.Clip(a.principals), x)
}

func creator(p Principal) assignment {
	return assignment{role: Admin, fqn: p.FQN(), id: uuid.New(), name: p.Name, of: p.ObjectID}
}

// parsePrincipal checks a fully qualified name as .add commands take it.
func parsePrincipal(fqn string) (string, error) {
	kind, id, ok := strings.Cut(strings.TrimSpace(fqn), "=")
	kind = strings.ToLower(kind)
	switch {
	case !ok || id == "":
		return "", badRequest("Principal '%s' is not a fully qualified name such as 'aadapp=<application id>;<tenant id>'", fqn)
	case kind != "aadapp" && kind != "aaduser" && kind != "aadgroup" && kind != "msauser":
		return "", badRequest("Principal '%s' is of an unknown kind: use aadapp, aaduser, aadgroup or msauser", fqn)
	}
	return kind + "=" + id, nil
}

// scope is a database at one moment with, optionally, one entity in it.
type scope struct {
	in     *databases
	db     *database
	state  *state
	entity *attributes // nil: the database itself
	name   string      // of the entity, "table 'T'"
}

func (all *databases) scope(d *database) scope { return scope{in: all, db: d, state: d.present.Load()} }

func (s scope) of(kind, name string, a *attributes) scope {
	s.entity, s.name = a, fmt.Sprintf("%s '%s'", kind, name)
	return s
}

// permits says whether p has what role allows in the scope.
func (s scope) permits(p Principal, role Role) bool {
	if s.in.isAdmin(p) || s.state.holds(p, Admin) || s.entity != nil && s.entity.holds(p, Admin) && role != User {
		return true
	}
	switch role {
	case User:
		return s.state.holds(p, User)
	case Viewer:
		return s.state.holds(p, User, Viewer)
	case Monitor:
		return s.state.holds(p, User, Viewer, Monitor)
	case UnrestrictedViewer: // a role of the database alone
		return s.state.holds(p, role)
	case Ingestor:
		return s.state.holds(p, role) || s.entity != nil && s.entity.holds(p, role)
	}
	return false
}

// verbs say what a role allows, for refusals.
var roleAllows = map[Role]string{
	Admin: "administer", User: "create entities in", Viewer: "read", UnrestrictedViewer: "read restricted data of",
	Ingestor: "ingest into", Monitor: "read the metadata of",
}

// require refuses p if it lacks the role in the scope.
func (s scope) require(p Principal, role Role) error {
	if s.permits(p, role) {
		return nil
	}
	if s.entity != nil {
		return forbidden(p, "%s %s in database '%s': it needs the role %v there or in the database",
			roleAllows[role], s.name, s.db.name, role)
	}
	return forbidden(p, "%s database '%s': it needs the role %v", roleAllows[role], s.db.name, role)
}

func (all *databases) isAdmin(p Principal) bool {
	return slices.ContainsFunc(all.o.Admins, func(a Principal) bool {
		return strings.EqualFold(a.AppID, p.AppID) && strings.EqualFold(a.TenantID, p.TenantID)
	})
}

// Authorize says whether p holds role on the table, or on the database where
// table is "". The error is a *Error with CodeForbidden, or one that says
// that the database or table is missing.
func (e *Engine) Authorize(p Principal, db, table string, role Role) error {
	d, err := e.databases.find(db)
	if err != nil {
		return err
	}
	s := e.databases.scope(d)
	if table != "" {
		t, err := s.state.table(table)
		if err != nil {
			return err
		}
		s = s.of("table", table, &t.attributes)
	}
	return s.require(p, role)
}
