// Package policy reads the policies of tables and of the database, such as how
// long they keep rows, and the durations that policies are written in. It never
// changes a policy.
package policy
