// Package kql makes the texts that the destination's queries and commands
// consist of: literals, identifiers, column lists, ingestion mappings. It also
// holds the names and columns of the control tables and the words of the
// ledger. It has no connection: every function depends on its arguments only.
package kql
