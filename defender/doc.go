// Package defender makes HTTP calls to the APIs of Defender: Advanced Hunting and
// the export assessment APIs.
//
// A Service makes the calls of one API (do.go): it signs in, answers a claims
// challenge, repeats what passes by itself, waits as long as the service asks, and
// gives each answer as a decompressed stream to the reader of the call. A Call
// names the Budget that it counts against (budget.go). An API whose endpoints have
// quotas of their own has a budget for each of them.
//
// What an error means and what to do next is decided in one place (errors.go). What
// only one API means by an answer, its calls say by Call.Meaning.
package defender
