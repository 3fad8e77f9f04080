// Package views makes the texts by which published rows are read: the functions
// for readers (current state, state as of a time, changes between two times),
// the columns of typed tables, and the payload of tables that another exporter
// made. It has no connection: every function depends on its arguments only.
package views
