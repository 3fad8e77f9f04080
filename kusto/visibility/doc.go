// Package visibility finds out whether policies (row level security, restricted
// view access) hide rows of tables from the sign-in of this program. Nothing may
// be decided from rows that a query does not show before that is known.
package visibility
