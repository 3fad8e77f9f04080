// Package conn is the connection to a Kusto database: endpoints, sign-in,
// queries, management commands, the columns of tables, and the translation of
// errors. No other package imports the query SDK.
//
// Every text that goes to the service passes one place (execute.go), every
// error that comes back another (errors.go).
package conn
