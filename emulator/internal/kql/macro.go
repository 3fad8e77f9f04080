package kql

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Federation is a Catalog of a cluster with databases that queries can name.
type Federation interface {
	// OwnsCluster says whether a host is this cluster's.
	OwnsCluster(host string) bool
	// ClusterURI is the cluster's address.
	ClusterURI() string
	// Address finds another address under which the same databases are reached, by its host with
	// its port: the URI, and whether it does not answer now.
	Address(host string) (uri string, down, ok bool)
	// DatabaseName is the cluster's own name of a database that the caller may read; ok is
	// false where there is none of that name.
	DatabaseName(name string) (own string, ok bool)
	// EntityGroup is the text of the entities in a stored group of the database that the
	// query runs in.
	EntityGroup(name string) (entities []string, ok bool)
}

// member is an entity of a group, which the subquery of macro-expand calls by a name.
type member struct {
	kind     string // as Kusto calls it
	database string // of a database: what the group calls it
	own      string // of a database: what the cluster calls it
	endpoint string // of a cluster or database: the URI of the cluster
}

// The kinds of entities. A group has entities of one kind.
const (
	clusterEntity  = "Cluster"
	databaseEntity = "Database"
	tableEntity    = "Table"
)

// The names that the subquery can add to the name of its entity
// (https://learn.microsoft.com/kusto/query/macro-expand-operator#subquery-contextual-functions).
const (
	entityDatabase = "$current_database"
	entityEndpoint = "$current_cluster_endpoint"
)

func isContextual(name string) bool { return name == entityDatabase || name == entityEndpoint }

// bindMacro binds macro-expand: the union of the subquery for each entity of the group. With
// isfuzzy or best_effort, an entity that does not exist, or that lacks what the subquery names, is
// left out with a warning.
func bindMacro(b *binder, n *syntax.MacroExpand, s *scope) (*pipeline, error) {
	on, ok := b.env.Catalog.(Federation)
	if !ok {
		return nil, unsupported(n.Pos(), "The macro-expand operator is not supported here.")
	}
	if outer, found := s.find(n.As); found && outer.member != nil {
		return nil, semantic(n.Pos(), "'macro-expand' operator: the name '%s' is that of an outer macro-expand", n.As)
	}
	entities, home, err := groupOf(b, n.Group, s, on)
	if err != nil {
		return nil, err
	}
	kind, err := kindOfGroup(entities)
	if err != nil {
		return nil, err
	}
	b.expands++
	defer func() { b.expands-- }()
	src := &unionSource{}
	seen := map[string]bool{}
	for _, x := range entities {
		if b.expands == 1 {
			b.budget += entityOperators
		}
		m, err := memberOf(b, x, kind, home, on)
		if m.own != "" && seen[m.own] { // whether the service reads it once or twice is not documented
			return nil, unsupported(x.Pos(), "An entity group that names the database '%s' twice is not supported here.", m.database)
		}
		seen[m.own] = true
		var p *pipeline
		if err == nil {
			p, err = bindExpansion(b, n, s, &binding{x: x, scope: home, member: &m, tabular: kind == tableEntity})
		}
		switch {
		case err == nil:
			src.legs = append(src.legs, &leg{p: p})
		case !b.skips(n.Fuzzy, err):
			return nil, err
		}
	}
	if len(src.legs) == 0 {
		// A union that is fuzzy leaves out a part that cannot be resolved, this one too.
		return nil, absent(semantic(n.Pos(), "'macro-expand' operator: none of the entities could be resolved"), groupName(n.Group))
	}
	return src.unify(&syntax.Union{Place: n.Place, Kind: n.Kind}), nil
}

// groupName is what a warning calls a group.
func groupName(x syntax.Expr) string {
	if named, ok := x.(*syntax.Ident); ok {
		return named.Name
	}
	return "entity_group"
}

// groupOf is the entities of a group, and the scope in which they are named: those in the
// query's text, or those that are stored in the database that the query runs in.
func groupOf(b *binder, x syntax.Expr, s *scope, on Federation) ([]syntax.Expr, *scope, error) {
	if g, ok := x.(*syntax.EntityGroup); ok {
		return g.Entities, s, nil
	}
	named, ok := x.(*syntax.Ident)
	if !ok {
		return nil, nil, semantic(x.Pos(), "'macro-expand' operator: a group of entities is expected")
	}
	if v, ok := s.find(named.Name); ok {
		v.used = true
		g, ok := v.x.(*syntax.EntityGroup)
		if !ok {
			return nil, nil, semantic(x.Pos(), "'macro-expand' operator: '%s' is no group of entities", named.Name)
		}
		return g.Entities, v.scope, nil
	}
	texts, ok := on.EntityGroup(named.Name)
	if !ok || s.db != "" { // groups of other databases cannot be referenced, not even by their functions
		return nil, nil, unresolved(x.Pos(), "macro-expand", "entity group", named.Name)
	}
	var entities []syntax.Expr
	for _, text := range texts {
		e, err := syntax.ParseExpression(text)
		if err != nil {
			return nil, nil, within(named.Name, err)
		}
		entities = append(entities, e)
	}
	return entities, root(s.db), nil
}

// kindOfGroup is the kind that all entities have.
func kindOfGroup(entities []syntax.Expr) (string, error) {
	first := ""
	for _, x := range entities {
		kind := kindOfEntity(x)
		switch {
		case kind == "":
			return "", semantic(x.Pos(), "Cluster, Database or Table expected.")
		case first == "":
			first = kind
		case kind != first:
			return "", semantic(x.Pos(), "%s expected.", first)
		}
	}
	return first, nil
}

func kindOfEntity(x syntax.Expr) string {
	switch n := x.(type) {
	case *syntax.Ident, *syntax.Member:
		return tableEntity
	case *syntax.Call:
		inner, ok := n, true
		if n.IsScoped() {
			outer, isCall := n.Args[0].X.(*syntax.Call)
			if inner, ok = n.Args[1].X.(*syntax.Call); !isCall || outer.Name != "cluster" || !ok || inner.Name != "database" {
				return ""
			}
		}
		switch inner.Name {
		case "cluster":
			return clusterEntity
		case "database":
			return databaseEntity
		}
	}
	return ""
}

// memberOf resolves an entity of a group.
func memberOf(b *binder, x syntax.Expr, kind string, home *scope, on Federation) (member, error) {
	m := member{kind: kind, endpoint: on.ClusterURI()}
	if c := clusterOf(x); c != nil {
		if name, err := b.nameOf(c, home, ""); err == nil {
			if uri, _, ok := on.Address(portedHost(name)); ok {
				m.endpoint = uri
			}
		}
	}
	if err := b.checkCluster(x, home); err != nil || kind != databaseEntity {
		return m, err
	}
	name, ok := b.databaseOf(x, home)
	if !ok {
		return m, semantic(x.Pos(), "database(): argument #1 must be a constant string")
	}
	m.database = name
	if m.own, ok = on.DatabaseName(name); !ok {
		entity := "database('" + name + "')"
		return m, absent(&fault{
			kind: Semantic, code: codeResolve, message: "'macro-expand' operator: Failed to resolve entity '" + entity + "'", offset: x.Pos(), token: name,
		}, entity)
	}
	return m, nil
}

// bindExpansion binds the subquery for one entity.
func bindExpansion(b *binder, n *syntax.MacroExpand, s *scope, v *binding) (*pipeline, error) {
	s = s.with(n.As, v)
	var result syntax.Expr
	for _, statement := range n.Body.Statements {
		switch x := statement.(type) {
		case *syntax.Let:
			s = s.with(x.Name, &binding{function: x.Function, x: x.X, scope: s})
		case *syntax.Result:
			if result != nil {
				return nil, semantic(x.Pos(), "'macro-expand' operator: the subquery must have one tabular expression")
			}
			result = x.X
		default:
			return nil, semantic(x.Pos(), "'macro-expand' operator: the subquery can have let statements and a tabular expression")
		}
	}
	if result == nil {
		return nil, semantic(n.Pos(), "'macro-expand' operator: the subquery must have one tabular expression")
	}
	p, err := b.tabular(result, s, "")
	if err == nil && v.tabular && !v.used {
		return nil, unsupported(n.Pos(), "macro-expand over tables that the subquery does not read is not supported here.")
	}
	return p, err
}

// ofEntity is the member that a name of macro-expand stands for, nil for another expression.
func (s *scope) ofEntity(x syntax.Expr) *member {
	id, ok := x.(*syntax.Ident)
	if !ok {
		return nil
	}
	v, ok := s.find(id.Name)
	if !ok || v.member == nil {
		return nil
	}
	v.used = true
	return v.member
}

// bindContextual binds X.$current_database and X.$current_cluster_endpoint, where X is the name of
// macro-expand; ok is false for all else.
func bindContextual(b *binder, n *syntax.Member, s *scope) (e *expr, ok bool, err error) {
	if !isContextual(n.Name) {
		return nil, false, nil
	}
	m := s.ofEntity(n.X)
	switch {
	case m == nil:
		return nil, false, nil
	case n.Name == entityEndpoint && m.kind != tableEntity:
		return constantExpr(value.NewString(m.endpoint)), true, nil
	case m.kind == databaseEntity:
		return constantExpr(value.NewString(m.own)), true, nil
	}
	return nil, false, unsupported(n.Pos(), "'%s' of a %s is not supported here.", n.Name, strings.ToLower(m.kind))
}

// skips says whether a union or macro-expand leaves out a leg with this error, and notes the
// warning. With isfuzzy those are left out that name what does not exist; with the request property
// best_effort also those of clusters that do not answer.
func (b *binder) skips(fuzzy bool, err error) bool {
	f, ok := err.(*fault)
	if !ok || f.missing == "" || !b.env.BestEffort && (!fuzzy || f.down) {
		return false
	}
	warning := "Failed to resolve entity '" + f.missing + "'"
	if !slices.Contains(b.warnings, warning) {
		b.warnings = append(b.warnings, warning)
	}
	return true
}
