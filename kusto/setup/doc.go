// Package setup creates and checks what an installation needs in the database.
//
//   - [Script] returns the commands for an empty database. It needs no connection.
//   - [Installer] runs the commands whose result does not exist yet, adapts tables
//     and read functions to the columns of the source, and checks tables before a
//     run. It does not change the type of a column, and drops nothing but the
//     enriched function once that is switched off.
//   - [Inspector] answers what a check of the installation needs to know. It
//     changes nothing.
//   - [Prober] ingests one test row end to end, into a table of its own.
//
// Tables and functions that another program made are left as they are.
package setup
