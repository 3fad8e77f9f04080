package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func sortedFunctions(s *state) []*function {
	return slices.SortedFunc(maps.Values(s.functions), func(a, b *function) int { return compareNames(a.name, b.name) })
}

// functionRows has the columns of the page on .show functions.
func functionRows(functions []*function) *rows {
	r := &rows{columns: stringColumns("Name", "Parameters", "Body", "Folder", "DocString")}
	for _, f := range functions {
		if f != nil { // dropped meanwhile
			r.addText(f.name, f.parameters, "{"+f.body+"}", f.folder, f.docString)
		}
	}
	return r
}

// showFunctions is .show functions and .show function F.
func showFunctions(s *session, c *command.ShowFunctions) (*rows, error) {
	sc, err := s.scopeFor(Monitor)
	if err != nil {
		return nil, err
	}
	if c.Name == "" {
		return functionRows(sortedFunctions(sc.state)), nil
	}
	f, ok := sc.state.functions[c.Name]
	if !ok {
		return nil, notFound(CodeEntityNotFound, "Function", c.Name)
	}
	return functionRows([]*function{f}), nil
}

// defineFunction is .create, .create-or-alter and .alter function. The body is
// compiled with its parameters unless skipvalidation is asked for.
func defineFunction(s *session, c *command.DefineFunction) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	if err := checkProperties(c.With, "folder", "docstring", "skipvalidation", "view"); err != nil {
		return nil, err
	}
	if err := checkName("Function", c.Name); err != nil {
		return nil, err
	}
	old, there := sc.state.functions[c.Name]
	switch {
	case there && c.Verb == command.Create && c.IfNotExists:
		return functionRows([]*function{old}), nil
	case there && c.Verb == command.Create:
		return nil, alreadyExists("Function", c.Name)
	case !there && c.Verb == command.Alter:
		return nil, notFound(CodeEntityNotFound, "Function", c.Name)
	case there:
		err = sc.of("function", c.Name, &old.attributes).require(s.call.Principal, Admin)
	default:
		err = sc.require(s.call.Principal, User)
	}
	if err != nil {
		return nil, err
	}
	f := function{
		name: c.Name, parameters: c.Parameters, body: c.Body,
		view: truth(given(c.With, "view")), skipValidation: truth(given(c.With, "skipvalidation")),
	}
	if _, err := command.ParseParameters(c.Parameters); err != nil {
		return nil, parseError(c.Parameters, err)
	}
	if !f.skipValidation {
		if err := checkFunction(s, sc, f); err != nil {
			return nil, err
		}
	}
	err = sc.db.update(func(state *state) error {
		made := f
		if old, ok := state.functions[c.Name]; ok {
			made.attributes, made.folder, made.docString = old.attributes, old.folder, old.docString
		} else {
			if kind, taken := state.taken(c.Name); taken && kind != "Table" { // a function may hide a table
				return alreadyExists(kind, c.Name)
			}
			made.grant(creator(s.call.Principal))
		}
		if v, ok := c.With["folder"]; ok {
			made.folder = v
		}
		if v, ok := c.With["docstring"]; ok {
			made.docString = v
		}
		state.functions[c.Name] = &made
		return nil
	})
	if err != nil {
		return nil, err
	}
	return functionRows([]*function{sc.db.present.Load().functions[c.Name]}), nil
}

// given is a property's text, or nil, which is false, where it is not there.
func given(with command.Properties, name string) any {
	if v, ok := with[name]; ok {
		return v
	}
	return nil
}

// checkFunction compiles a call of f whose arguments are nulls and empty
// tables, as a table first and then as a scalar. Nothing runs. A function that
// takes any table is not checked: what it needs is known when it is called.
func checkFunction(s *session, sc scope, f function) error {
	parameters, err := command.ParseParameters(f.parameters)
	if err != nil {
		return parseError(f.parameters, err)
	}
	arguments := make([]string, len(parameters))
	for i, p := range parameters {
		switch {
		case p.Tabular && len(p.Columns) == 0:
			return nil
		case p.Tabular:
			columns := cslSchema(&table{columns: s.e.databases.newColumns(p.Columns)})
			arguments[i] = "(datatable(" + columns + ")[])"
		case p.Kind == value.String:
			arguments[i] = `""`
		default:
			arguments[i] = p.Kind.String() + "(null)"
		}
	}
	call := quoteName(f.name) + "(" + strings.Join(arguments, ", ") + ")"
	c := trial{s.e.databases.catalog(sc.db.name, s.call.Principal), f}
	env := kql.Environment{Catalog: c, Database: sc.db.name, Now: s.e.now(), Principal: s.call.Principal.FQN()}
	_, tabular := kql.Compile(call, env)
	if tabular == nil {
		return nil
	}
	if _, err := kql.Compile("print "+call, env); err == nil {
		return nil
	}
	return asError(tabular)
}

// trial is a catalog in which a function already exists.
type trial struct {
	*catalog
	function function
}

// Function finds the function on trial first.
func (t trial) Function(db, name string) (kql.Function, bool) {
	if name == t.function.name && (db == "" || equalFold(db, t.home)) {
		return t.function.query(), true
	}
	return t.catalog.Function(db, name)
}

// query is the function as queries call it.
func (f *function) query() kql.Function {
	return kql.Function{Name: f.name, Parameters: f.parameters, Body: "{" + f.body + "}"}
}
