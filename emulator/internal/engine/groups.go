package engine

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
)

// Entity groups are sets of databases or clusters that macro-expand runs a subquery over. See
// https://learn.microsoft.com/kusto/management/entity-groups. Every command about them needs an
// administrator of the database, as their pages say.

// groupRows has the columns of the pages about entity groups.
func groupRows(s *state, names ...string) *rows {
	r := &rows{columns: stringColumns("Name", "Entities")}
	for _, name := range names {
		if entities, ok := s.groups[name]; ok {
			r.addText(name, entitiesJSON(entities))
		}
	}
	return r
}

func entitiesJSON(entities []string) string {
	text, err := json.Marshal(entities)
	if err != nil {
		return "[]" // strings can always be encoded
	}
	return string(text)
}

func sortedGroups(s *state) []string { return slices.Sorted(maps.Keys(s.groups)) }

// showGroups is .show entity_groups and .show entity_group G.
func showGroups(s *session, c *command.ShowGroups) (*rows, error) {
	sc, err := s.scopeFor(Admin)
	if err != nil {
		return nil, err
	}
	if c.Name == "" {
		return groupRows(sc.state, sortedGroups(sc.state)...), nil
	}
	if _, ok := sc.state.groups[c.Name]; !ok {
		return nil, notFound(CodeEntityNotFound, "EntityGroup", c.Name)
	}
	return groupRows(sc.state, c.Name), nil
}

// defineGroup is .create, .create-or-alter, .alter and .alter-merge entity_group. That entities
// exist is not checked: the pages' examples name any.
func defineGroup(s *session, c *command.DefineGroup) (*rows, error) {
	sc, err := s.scopeFor(Admin)
	if err != nil {
		return nil, err
	}
	if err := checkName("EntityGroup", c.Name); err != nil {
		return nil, err
	}
	given, err := groupEntities(c)
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		old, there := state.groups[c.Name]
		switch {
		case there && c.Verb == command.Create && c.IfNotExists:
			return nil
		case there && c.Verb == command.Create:
			return alreadyExists("EntityGroup", c.Name)
		case !there && (c.Verb == command.Alter || c.Verb == command.AlterMerge):
			return notFound(CodeEntityNotFound, "EntityGroup", c.Name)
		case c.Verb == command.AlterMerge:
			state.groups[c.Name] = merged(old, given)
		default:
			state.groups[c.Name] = given
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return groupRows(sc.db.present.Load(), c.Name), nil
}

// groupEntities is the text of a command's entities, which must be of one kind.
func groupEntities(c *command.DefineGroup) ([]string, error) {
	var out []string
	for _, e := range c.Entities {
		if (e.Database == "") != (c.Entities[0].Database == "") {
			return nil, semantic("Entity group '%s' has entities of different kinds: databases and clusters cannot be in one group", c.Name)
		}
		if slices.Contains(out, e.String()) { // whether the service keeps one or both is not documented
			return nil, badRequest("Entity group '%s' with the entity %s twice is not supported by this emulator.", c.Name, e)
		}
		out = append(out, e.String())
	}
	return out, nil
}

// merged is the old entities and behind them the new ones.
func merged(old, given []string) []string {
	out := slices.Clone(old)
	for _, e := range given {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// dropGroup is .drop entity_group, which shows the groups that are left.
func dropGroup(s *session, c *command.DropGroup) (*rows, error) {
	sc, err := s.scopeFor(Admin)
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		if _, ok := state.groups[c.Name]; !ok {
			return notFound(CodeEntityNotFound, "EntityGroup", c.Name)
		}
		delete(state.groups, c.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	left := sc.db.present.Load()
	return groupRows(left, sortedGroups(left)...), nil
}
