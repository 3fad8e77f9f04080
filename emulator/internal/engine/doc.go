// Package engine is the Kusto engine of the emulator, without HTTP: databases
// with their tables, extents, functions, views, policies and principals, and
// the queries and management commands over them.
//
// A database is an immutable state behind a pointer. A query takes the pointer
// once and so sees one moment from beginning to end. A command that changes
// something builds a new state under the database's lock and puts it in place
// in one step: either all of its extents and definitions are there, or none.
//
// Rows live in extents (sub-package extent): immutable, columnar, compressed,
// and moved to files when there is a directory for them and they have grown.
// The text of management commands is parsed by sub-package command, which
// knows grammar and no meaning.
//
// Roles follow https://learn.microsoft.com/kusto/access-control/role-based-access-control,
// commands https://learn.microsoft.com/kusto/management. What is not supported
// is refused with the service's error shape.
package engine
