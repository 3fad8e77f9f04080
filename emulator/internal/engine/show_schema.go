package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// showSchema is .show table T cslschema|schema, .show database D schema and so on.
func showSchema(s *session, c *command.ShowSchema) (*rows, error) {
	if c.Scope == command.Table {
		sc, t, err := s.table(c.Names[0], Monitor)
		if err != nil {
			return nil, err
		}
		form := jsonSchema
		if c.Form == command.SchemaCSL {
			form = cslSchema
		}
		return schemaList(sc.db.name, []*table{t}, form)
	}
	scopes, err := scopesOf(s, c)
	if err != nil {
		return nil, err
	}
	switch c.Form {
	case command.SchemaJSON:
		return schemaJSON(scopes)
	case command.SchemaScript:
		r := &rows{columns: stringColumns("DatabaseSchemaScript")}
		for _, line := range schemaScript(scopes[0]) {
			r.addText(line)
		}
		return r, nil
	}
	return schemaRows(scopes), nil
}

// scopesOf are the databases of a .show schema: those named, the call's, or all
// that the caller may see.
func scopesOf(s *session, c *command.ShowSchema) ([]scope, error) {
	if c.Scope == command.Cluster {
		var all []scope
		for _, d := range s.e.databases.sorted() {
			if sc := s.e.databases.scope(d); sc.permits(s.call.Principal, Monitor) {
				all = append(all, sc)
			}
		}
		return all, nil
	}
	names := c.Names
	if len(names) == 0 {
		names = []string{s.call.Database}
	}
	var all []scope
	for _, n := range names {
		sc, err := s.named(n, Monitor)
		if err != nil {
			return nil, err
		}
		all = append(all, sc)
	}
	return all, nil
}

func (s scope) versionText() string { return fmt.Sprintf("v1.%d", s.state.version) }

func schemaRows(scopes []scope) *rows {
	r := &rows{columns: []value.Column{
		stringColumn("DatabaseName"), stringColumn("TableName"), stringColumn("ColumnName"), stringColumn("ColumnType"),
		boolColumn("IsDefaultTable"), boolColumn("IsDefaultColumn"), stringColumn("PrettyName"), stringColumn("Version"),
		stringColumn("Folder"), stringColumn("DocString"),
	}}
	no := value.NewBool(false)
	add := func(names, rest []value.Value) {
		r.add(slices.Concat(names, []value.Value{no, no}, rest)...)
	}
	for _, sc := range scopes {
		add(stringValues(sc.db.name, "", "", ""), stringValues("", sc.versionText(), "", ""))
		for _, t := range sc.state.sortedTables() {
			add(stringValues(sc.db.name, t.name, "", ""), stringValues("", "", t.folder, t.docString))
			for _, c := range t.columns {
				add(stringValues(sc.db.name, t.name, c.Name, c.Kind.CSharp()), stringValues("", "", "", ""))
			}
		}
	}
	return r
}

// The JSON document of .show database schema as json.
type (
	jsonDatabase struct {
		Name               string
		Tables             map[string]jsonTable
		ExternalTables     map[string]jsonTable
		MaterializedViews  map[string]jsonTable
		EntityGroups       map[string]any
		MajorVersion       int
		MinorVersion       int
		Functions          map[string]jsonFunction
		DatabaseAccessMode string
	}
	jsonTable struct {
		Name           string
		Folder         string
		DocString      string
		OrderedColumns []orderedColumn
	}
	jsonParameter struct {
		Name            string
		Type            string          `json:",omitempty"`
		CslType         string          `json:",omitempty"`
		CslDefaultValue string          `json:",omitempty"`
		Columns         []orderedColumn `json:",omitempty"`
	}
	jsonFunction struct {
		Name            string
		InputParameters []jsonParameter
		Body            string
		Folder          string
		DocString       string
		FunctionKind    string
		OutputColumns   []orderedColumn
	}
)

func jsonParameters(text string) []jsonParameter {
	list := []jsonParameter{}
	parameters, err := command.ParseParameters(text)
	if err != nil {
		return list // checked when the function was made
	}
	for _, p := range parameters {
		if p.Tabular {
			list = append(list, jsonParameter{Name: p.Name, Columns: orderedColumns(p.Columns)})
			continue
		}
		list = append(list, jsonParameter{Name: p.Name, Type: p.Kind.CSharp(), CslType: p.Kind.String(), CslDefaultValue: p.Default})
	}
	return list
}

func schemaJSON(scopes []scope) (*rows, error) {
	all := map[string]jsonDatabase{}
	for _, sc := range scopes {
		d := jsonDatabase{
			Name: sc.db.name, Tables: map[string]jsonTable{}, ExternalTables: map[string]jsonTable{},
			MaterializedViews: map[string]jsonTable{}, EntityGroups: map[string]any{}, Functions: map[string]jsonFunction{},
			MajorVersion: 1, MinorVersion: sc.state.version, DatabaseAccessMode: "ReadWrite",
		}
		for _, t := range sc.state.tables {
			d.Tables[t.name] = jsonTable{t.name, t.folder, t.docString, orderedColumns(t.schema())}
		}
		c := &catalog{in: sc.in, home: sc.db.name, system: true, mu: &sync.Mutex{}, scopes: map[string]scope{sc.db.name: sc}}
		for _, v := range sc.state.views {
			if r, ok := c.view(sc, v); ok {
				d.MaterializedViews[v.name] = jsonTable{v.name, v.folder, v.docString, orderedColumns(r.Columns())}
			}
		}
		for _, f := range sc.state.functions {
			d.Functions[f.name] = jsonFunction{
				Name: f.name, InputParameters: jsonParameters(f.parameters), Body: "{" + f.body + "}", Folder: f.folder, DocString: f.docString,
				FunctionKind: "Unknown", OutputColumns: []orderedColumn{},
			}
		}
		for name, entities := range sc.state.groups {
			d.EntityGroups[name] = entities
		}
		all[sc.db.name] = d
	}
	text, err := json.Marshal(map[string]any{"Databases": all})
	if err != nil {
		return nil, internalError(err)
	}
	r := &rows{columns: stringColumns("DatabaseSchema")}
	r.addText(string(text))
	return r, nil
}

// schemaScript is commands that make the database's entities.
func schemaScript(sc scope) []string {
	var script []string
	for _, t := range sc.state.sortedTables() {
		line := fmt.Sprintf(".create-merge table %s (%s)", quoteName(t.name), strings.ReplaceAll(cslSchema(t), ",", ", "))
		if t.folder != "" || t.docString != "" {
			line += fmt.Sprintf(" with (folder = %s, docstring = %s)", quoteText(t.folder), quoteText(t.docString))
		}
		script = append(script, line)
		for _, k := range sortedMappings(t.mappings) {
			script = append(script, fmt.Sprintf(".create-or-alter table %s ingestion %s mapping %s %s",
				quoteName(t.name), k.kind, quoteText(k.name), quoteText(t.mappings[k].text)))
		}
		for _, p := range slices.Sorted(maps.Keys(t.policies)) {
			script = append(script, fmt.Sprintf(".alter table %s policy %s %s", quoteName(t.name), p, quoteText(t.policies[p])))
		}
	}
	for _, f := range sortedFunctions(sc.state) {
		script = append(script, fmt.Sprintf(".create-or-alter function with (folder = %s, docstring = %s, skipvalidation = \"true\") %s%s {%s}",
			quoteText(f.folder), quoteText(f.docString), quoteName(f.name), f.parameters, f.body))
	}
	for _, v := range sortedViews(sc.state) {
		script = append(script, fmt.Sprintf(".create-or-alter materialized-view %s on table %s {%s}", quoteName(v.name), quoteName(v.source), v.query))
	}
	for _, name := range sortedGroups(sc.state) {
		script = append(script, fmt.Sprintf(".create-or-alter entity_group %s (%s)", quoteName(name), strings.Join(sc.state.groups[name], ", ")))
	}
	return script
}

// quoteText is a string literal.
func quoteText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}
