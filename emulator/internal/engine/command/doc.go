// Package command parses the text of Kusto management commands, those that
// begin with a dot, into typed values. It knows their grammar and nothing of
// what they mean; see https://learn.microsoft.com/kusto/management.
//
// Parse answers with a Statement whose Command is one of the types of this
// package. Names are plain: the brackets and quotes of ['my table'] are gone.
package command
