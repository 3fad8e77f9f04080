package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/newtonsoft"
)

// policyRows has the columns of the pages on .show ... policy.
func policyRows() *rows {
	return &rows{columns: stringColumns("PolicyName", "EntityName", "Policy", "ChildEntities", "EntityType")}
}

// entityTypes are the scopes as policy results name them.
var entityTypes = map[command.Scope]string{
	command.Database: "Database", command.Table: "Table", command.View: "MaterializedView",
}

func entityName(db string, scope command.Scope, name string) string {
	if scope == command.Database {
		return "[" + db + "]"
	}
	return "[" + db + "].[" + name + "]"
}

// showPolicy shows a policy as it was set at the entity; null where it was not.
func showPolicy(s *session, c *command.ShowPolicy) (*rows, error) {
	r := policyRows()
	add := func(sc scope, name, policy string) {
		r.addText(policyTitles[c.Policy], entityName(sc.db.name, c.Scope, name), policy, "", entityTypes[c.Scope])
	}
	if c.Name == "*" {
		sc, err := s.scopeFor(Monitor)
		if err != nil {
			return nil, err
		}
		for _, t := range sc.state.sortedTables() {
			add(sc, t.name, orNull(t.policies[c.Policy]))
		}
		return r, nil
	}
	name := c.Name
	if c.Scope == command.Database && name == "" {
		name = s.call.Database
	}
	sc, a, err := s.entity(c.Scope, name)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), name, a).require(s.call.Principal, Monitor); err != nil {
		return nil, err
	}
	policy := a.policies[c.Policy]
	if policy == "" && c.Scope == command.Database {
		policy = policyDefaults[c.Policy]
	}
	add(sc, name, orNull(policy))
	return r, nil
}

// deletePolicy removes a policy from an entity.
func deletePolicy(s *session, c *command.DeletePolicy) (*rows, error) {
	return setPolicies(s, c.Scope, []string{c.Name}, c.Policy, func(state *state, _ *attributes) (string, error) {
		if c.Policy == "ingestiontime" {
			if err := checkViewsOnIngestionTime(state, c.Name); err != nil {
				return "", err
			}
			return policyOfWord(c.Policy, "false") // the same as disabling it
		}
		return "", nil
	})
}

// alterPolicy sets a policy, or with .alter-merge changes what is given of it.
func alterPolicy(s *session, c *command.AlterPolicy) (*rows, error) {
	return setPolicies(s, c.Scope, c.Names, c.Policy, func(state *state, a *attributes) (string, error) {
		given, err := policyJSON(c)
		if err != nil {
			return "", err
		}
		if given == "" || given == "null" {
			return "", nil // .alter ... policy update 'null' and similar commands remove the policy
		}
		if c.Verb == command.AlterMerge {
			base := a.policies[c.Policy]
			if base == "" {
				base = policyDefaults[c.Policy]
			}
			if given, err = mergeJSON(base, given); err != nil {
				return "", badRequest("The %s policy %q is not valid JSON: %v", c.Policy, excerpt(given), err)
			}
		}
		if err := checkPolicy(c.Policy, given); err != nil {
			return "", badRequest("%v", err)
		}
		return given, checkAgainst(s, state, c, given)
	})
}

// checkAgainst refuses a policy that what is there rules out.
func checkAgainst(s *session, state *state, c *command.AlterPolicy, given string) error {
	for _, name := range c.Names {
		var err error
		switch c.Policy {
		case policyUpdate:
			err = checkUpdatePolicy(s, state, name, given)
		case policyRowLevel:
			var sc scope
			if sc, err = s.scope(); err == nil {
				sc.state = state
				err = checkRowLevel(s, sc, name, given, c.With)
			}
		case policyRestricted:
			err = checkRestricted(state, name, given)
		case "ingestiontime":
			if c.Scope == command.Table && untimedBy(given) {
				err = checkViewsOnIngestionTime(state, name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setPolicies gives each of the entities the policy that change makes of its
// present attributes; "" removes it.
func setPolicies(s *session, scope command.Scope, names []string, policy string, change func(*state, *attributes) (string, error)) (*rows, error) {
	r := policyRows()
	for _, name := range names {
		sc, a, err := s.entity(scope, name)
		if err != nil {
			return nil, err
		}
		if err := sc.of(string(scope), name, a).require(s.call.Principal, Admin); err != nil {
			return nil, err
		}
		var text string
		err = sc.db.update(func(state *state) error {
			a, err := state.editAttributes(scope, name)
			if err != nil {
				return err
			}
			if text, err = change(state, a); err != nil {
				return err
			}
			a.setPolicy(policy, text)
			return nil
		})
		if err != nil {
			return nil, err
		}
		r.addText(policyTitles[policy], entityName(sc.db.name, scope, name), orNull(text), "", entityTypes[scope])
	}
	return r, nil
}

// policyJSON returns the policy of the command as JSON, for every form of the command.
func policyJSON(c *command.AlterPolicy) (string, error) {
	switch {
	case c.Policy == policyRowLevel:
		return rowLevelJSON(c)
	case c.Word != "":
		return policyOfWord(c.Policy, c.Word)
	case len(c.Settings) > 0:
		return policyOfSettings(c.Policy, c.Settings)
	}
	text, err := newtonsoft.Standard(c.JSON)
	if err != nil {
		return "", badRequest("The %s policy %q is not valid JSON: %v", c.Policy, excerpt(c.JSON), err)
	}
	return text, nil
}

// rowLevelJSON is the policy of: enable "query", disable "query".
func rowLevelJSON(c *command.AlterPolicy) (string, error) {
	if c.Scope != command.Table || c.Verb != command.Alter {
		return "", badRequest("The policy '%s' is supported by this emulator in '.alter table T policy %[1]s enable \"query\"'", c.Policy)
	}
	if c.Word != "enable" && c.Word != "disable" || c.JSON == "" {
		return "", badRequest("The %s policy is set as: enable \"query\", or disable \"query\"", c.Policy)
	}
	text, err := json.Marshal(rowLevelSecurity{c.Word == "enable", c.JSON})
	if err != nil {
		return "", internalError(err)
	}
	return string(text), nil
}

func policyOfWord(policy, word string) (string, error) {
	on := word == "enable" || word == "true"
	if !on && word != "disable" && word != "false" {
		return "", badRequest("The %s policy cannot be '%s': use enable or disable, true or false, or JSON", policy, word)
	}
	switch policy {
	case policyStreaming:
		if on {
			return `{"IsEnabled":true,"HintAllocatedRate":null}`, nil
		}
		return `{"IsEnabled":false,"HintAllocatedRate":null}`, nil
	case policyRestricted, "ingestiontime":
		if on {
			return `{"IsEnabled":true}`, nil
		}
		return `{"IsEnabled":false}`, nil
	}
	return "", badRequest("The %s policy cannot be '%s': it is set as JSON", policy, word)
}

func policyOfSettings(policy string, settings []command.Setting) (string, error) {
	p := map[string]any{}
	span := func(v string) (string, error) {
		t, ok := value.ParseTimeSpan(v)
		if !ok {
			return "", badRequest("'%s' is not a timespan such as 30d or 12h", v)
		}
		return t.String(), nil
	}
	var windows []map[string]string
	for _, set := range settings {
		var err error
		var text string
		switch {
		case policy == policyRetention && set.Name == "softdelete":
			text, err = span(set.Value)
			p["SoftDeletePeriod"] = text
		case policy == policyRetention && set.Name == "recoverability":
			on := equalFold(set.Value, "enabled")
			if !on && !equalFold(set.Value, "disabled") {
				return "", badRequest("recoverability is enabled or disabled, not '%s'", set.Value)
			}
			p["Recoverability"] = map[bool]string{true: "Enabled", false: "Disabled"}[on]
		case policy == policyCaching && set.Name == "hot":
			text, err = span(set.Value)
			p["DataHotSpan"], p["IndexHotSpan"] = map[string]string{"Value": text}, map[string]string{"Value": text}
		case policy == policyCaching && set.Name == "hotdata":
			text, err = span(set.Value)
			p["DataHotSpan"] = map[string]string{"Value": text}
		case policy == policyCaching && set.Name == "hotindex":
			text, err = span(set.Value)
			p["IndexHotSpan"] = map[string]string{"Value": text}
		case policy == policyCaching && set.Name == "hot_window":
			windows = append(windows, map[string]string{"MinValue": set.Value, "MaxValue": set.Until})
			p["HotWindows"] = windows
		default:
			return "", badRequest("The %s policy has no setting '%s' here; give the policy as JSON", policy, set.Name)
		}
		if err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", internalError(err)
	}
	return string(text), nil
}

// mergeJSON lays change over base: objects slot by slot, arrays behind one
// another, as .alter-merge does.
func mergeJSON(base, change string) (string, error) {
	var object, changes map[string]json.RawMessage
	if json.Unmarshal([]byte(base), &object) == nil && json.Unmarshal([]byte(change), &changes) == nil && object != nil {
		maps.Copy(object, changes)
		merged, err := json.Marshal(object)
		return string(merged), err
	}
	var list, more []json.RawMessage
	if json.Unmarshal([]byte(change), &more) == nil {
		_ = json.Unmarshal([]byte(base), &list) // no policy yet is an empty list
		merged, err := json.Marshal(append(list, more...))
		return string(merged), err
	}
	if !json.Valid([]byte(change)) {
		return change, json.Unmarshal([]byte(change), new(any))
	}
	return change, nil
}

// checkUpdatePolicy refuses a policy whose source is missing, that reads its
// own table, or whose query does not give the table's columns.
func checkUpdatePolicy(s *session, state *state, name, text string) error {
	var policies []updatePolicy
	if err := json.Unmarshal([]byte(text), &policies); err != nil {
		return badRequest("The update policy is not valid JSON: %v", err)
	}
	t, err := state.table(name)
	if err != nil {
		return err
	}
	for _, p := range policies {
		if p.ManagedIdentity != nil && *p.ManagedIdentity != "" {
			return badRequest("Update policies with a managed identity are not supported by this emulator")
		}
		if p.SourceIsWildCard || !p.IsEnabled {
			continue
		}
		if p.Source == name {
			return policyError(codeUpdateCyclic, t, "a table cannot be its own source")
		}
		source, err := state.table(p.Source)
		if err != nil {
			return err
		}
		if source.protected() {
			return badRequest("The update policy of table '%s' cannot read table '%s', on which row_level_security is enabled, without a managed identity", name, p.Source)
		}
		catalog := s.e.databases.catalog(s.call.Database, s.call.Principal)
		catalog.system = true
		statement, err := catalog.policyQuery(p)
		if err != nil {
			return policyError(codeUpdateFailed, t, "Caught exception while validating query for Update Policy: '"+err.Error()+"'")
		}
		if err := matches(statement.Columns(), t.schema()); err != nil {
			return policyError(codeUpdateSchema, t, "Error during execution of a policy operation: "+err.Error())
		}
	}
	return nil
}

func sortedMappings(m map[mappingKey]mapping) []mappingKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b mappingKey) int {
		return strings.Compare(a.kind+"\n"+a.name, b.kind+"\n"+b.name)
	})
}
