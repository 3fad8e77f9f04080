package command

import (
	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Statement is a parsed text.
type Statement struct {
	// Keyword names the kind of command: ".create-merge table".
	Keyword string
	// Command is a pointer to one of the types of this package.
	Command any
	// Query is KQL over the command's result, which it calls Results; often empty.
	Query string
}

// Results is what the query behind a command calls the command's result. See
// https://learn.microsoft.com/kusto/management/#combining-queries-and-management-commands.
const Results = "$command_results"

// Scope is the kind of entity that a command is about.
type Scope string

// The scopes, by the words of the grammar.
const (
	Cluster  Scope = "cluster"
	Database Scope = "database"
	Table    Scope = "table"
	Function Scope = "function"
	View     Scope = "materialized-view"
)

// Verb tells the forms of creating and changing apart.
type Verb string

// The verbs, by the words of the grammar.
const (
	Create        Verb = "create"
	CreateMerge   Verb = "create-merge"
	CreateOrAlter Verb = "create-or-alter"
	Alter         Verb = "alter"
	AlterMerge    Verb = "alter-merge"
	Add           Verb = "add"
	Drop          Verb = "drop"
	Set           Verb = "set"
	Append        Verb = "append"
	SetOrAppend   Verb = "set-or-append"
	SetOrReplace  Verb = "set-or-replace"
)

// TableDef is a table's name and columns.
type TableDef struct {
	Name    string
	Columns []value.Column
}

// DefineTables creates or changes tables: .create, .create-merge, .alter and
// .alter-merge table or tables.
type DefineTables struct {
	Verb   Verb
	Tables []TableDef
	With   Properties
}

// CloneTable is .create table T based-on S.
type CloneTable struct {
	Name, Source string
	IfNotExists  bool
	With         Properties
}

// Describe is .alter table|function|materialized-view N docstring|folder 'x'.
type Describe struct {
	Scope  Scope
	Name   string
	Folder bool // else the docstring
	Text   string
}

// DefineGroup is .create, .create-or-alter, .alter or .alter-merge entity_group.
type DefineGroup struct {
	Verb        Verb
	Name        string
	IfNotExists bool
	Entities    []Entity
}

// DropGroup is .drop entity_group.
type DropGroup struct{ Name string }

// ShowGroups is .show entity_groups, or with a name .show entity_group.
type ShowGroups struct{ Name string }

// RenameTables is .rename table A to B and .rename tables B=A, D=C.
type RenameTables struct {
	Pairs    [][2]string // from, to
	IfExists bool
}

// DropEntities drops tables, functions or materialized views.
type DropEntities struct {
	Scope    Scope
	Names    []string
	IfExists bool
	Many     bool // the plural form of the command
}

// DropColumns is .drop table T columns (a, b) and .drop column T.a.
type DropColumns struct {
	Table   string
	Columns []string
}

// ShowTables is .show tables [(a, b)] [details], .show table T and .show table T details.
type ShowTables struct {
	Names   []string // none: all
	Details bool
	One     bool // .show table T: the columns
}

// SchemaForm is how a schema is shown.
type SchemaForm string

// The forms of schemas.
const (
	SchemaRows   SchemaForm = ""       // a row per column
	SchemaCSL    SchemaForm = "csl"    // name:type, name:type
	SchemaJSON   SchemaForm = "json"   // a JSON document
	SchemaScript SchemaForm = "script" // commands that make the database
)

// ShowSchema is .show table T cslschema|schema as json, .show database D
// schema [as json|as csl script], .show databases (..) schema [as json] and
// .show schema [as json].
type ShowSchema struct {
	Scope Scope
	Names []string // databases: none is all (.show schema) or the call's (.show database schema)
	Form  SchemaForm
}

// ShowDatabases is .show databases, .show database and their details.
type ShowDatabases struct {
	Name    string // "": all, or with One the call's
	One     bool
	Details bool
}

// ShowCluster is .show cluster, ShowVersion .show version.
type (
	ShowCluster struct{}
	ShowVersion struct{}
)

// DefineMapping creates or changes an ingestion mapping.
type DefineMapping struct {
	Verb         Verb
	Scope        Scope // Table or Database
	Entity, Kind string
	Name, Text   string
}

// DropMapping drops an ingestion mapping.
type DropMapping struct {
	Scope              Scope
	Entity, Kind, Name string
}

// ShowMappings shows ingestion mappings; empty Kind and Name are all of them.
type ShowMappings struct {
	Scope              Scope
	Entity, Kind, Name string
}

// DefineFunction creates or changes a stored function.
type DefineFunction struct {
	Verb        Verb
	IfNotExists bool
	With        Properties
	Name        string
	Parameters  string // with the parentheses
	Body        string // without the braces
}

// ShowFunctions is .show functions and .show function F.
type ShowFunctions struct {
	Name string // "": all
}

// DefineView creates or changes a materialized view.
type DefineView struct {
	Verb        Verb
	Async       bool
	IfNotExists bool
	With        Properties
	Name        string
	Source      string // a table, or another view
	Query       string
}

// ShowViews is .show materialized-views and .show materialized-view V [details].
type ShowViews struct {
	Name   string // "": all
	Schema bool
}

// EnableView is .enable and .disable materialized-view V.
type EnableView struct {
	Name    string
	Enabled bool
}

// AlterPolicy sets (.alter) or changes (.alter-merge) a policy. Exactly one of
// JSON, Settings and Word is given; a word may have a text behind it, in JSON.
type AlterPolicy struct {
	Verb     Verb
	Scope    Scope
	Names    []string
	Policy   string // retention, caching, ...
	JSON     string
	Settings []Setting // softdelete = 10d
	Word     string    // enable, disable, true, false
	With     Properties
}

// Setting is one name = value of a policy.
type Setting struct {
	Name, Value string
	Until       string // end of a range, value .. until
}

// ShowPolicy shows a policy; the name "*" is every table.
type ShowPolicy struct {
	Scope  Scope
	Name   string
	Policy string
}

// DeletePolicy removes a policy.
type DeletePolicy struct {
	Scope  Scope
	Name   string
	Policy string
}

// ShowPrincipals is .show database|table|function N principals.
type ShowPrincipals struct {
	Scope Scope
	Name  string
}

// ShowRoles is .show principal ['p'] roles.
type ShowRoles struct {
	Principal string // "": the caller
}

// ChangePrincipals adds to, drops from or sets a role's principals.
type ChangePrincipals struct {
	Verb        Verb // Add, Drop or Set
	Scope       Scope
	Name        string
	Role        string   // admins, users, ...
	Principals  []string // fully qualified names; none with Set: nobody
	SkipResults bool
	Note        string
}

// Load is .set, .append, .set-or-append and .set-or-replace.
type Load struct {
	Verb  Verb
	Async bool
	Table string
	With  Properties
	Query string
}

// IngestInline is .ingest inline into table T.
type IngestInline struct {
	Table string
	With  Properties
	Data  string
}

// IDs are ids of extents or operations.
type IDs []uuid.UUID

// TagFilter is one condition of where tags ... .
type TagFilter struct {
	Contains bool // else the whole tag
	Not      bool
	Text     string
}

// ShowExtents is .show table|tables|database|cluster ... extents.
type ShowExtents struct {
	Scope Scope
	Names []string
	IDs   IDs
	Tags  []TagFilter
}

// MoveExtents is .move extents. One of All, IDs and Query says which.
type MoveExtents struct {
	Async    bool
	All      bool
	IDs      IDs
	From, To string
	With     Properties
	Query    string
}

// ReplaceExtents is .replace extents in table T <| {drop}, {move}.
type ReplaceExtents struct {
	Async      bool
	Table      string
	With       Properties
	Drop, Move string // queries
}

// DropExtents is .drop extents. One of IDs, Query and the age says which.
type DropExtents struct {
	WhatIf    bool
	IDs       IDs
	Query     string
	Table     string // "" with OlderThan: all tables; "" with IDs: any
	AllTables bool
	Older     string // "10 days", "" for any age
	Limit     int    // 0: none
}

// ChangeTags is .drop table T extent tags, .alter and .alter-merge extent tags.
type ChangeTags struct {
	Verb  Verb // Drop, Alter or AlterMerge
	Async bool
	Table string // of Drop
	Tags  []string
	With  Properties
	Query string
}

// ClearSchemaCache is .clear database cache streamingingestion schema, or the
// same of a table.
type ClearSchemaCache struct {
	Table string // "" for the whole database
}

// ClearTable is .clear table T data.
type ClearTable struct {
	Name string
}

// DeleteRecords is .delete table T records <| predicate.
type DeleteRecords struct {
	Async bool
	Table string
	With  Properties
	Query string
}

// UpdateTable is .update table T delete D append A, or move S, <| let D = ...; let A = ...;
type UpdateTable struct {
	Async          bool
	Table          string
	Delete, Append string // names that Query defines; "" for Append with From
	From           string // the table whose extents move
	With           Properties
	Query          string
}

// ShowOperations is .show operations [ids].
type ShowOperations struct {
	IDs IDs
}

// ShowOperationDetails is .show operation ID details.
type ShowOperationDetails struct {
	ID uuid.UUID
}

// ShowFailures is .show ingestion failures [with (OperationId=...)].
type ShowFailures struct {
	OperationID uuid.UUID // Nil: all
}

// ExecuteScript is .execute database script.
type ExecuteScript struct {
	With     Properties
	Commands []string
}

// PrettyName is .alter database D prettyname 'text' and, with an empty text,
// .drop database D prettyname.
type PrettyName struct{ Database, Text string }

// RefreshCache is .refresh ... cache ... .
type RefreshCache struct{}
