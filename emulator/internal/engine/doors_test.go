package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The service reads JSON within commands with Newtonsoft's reader: scripts and official
// clients send single quotes, comments and a comma before a closing bracket.
func TestJSONOfCommandsAsNewtonsoftReadsIt(t *testing.T) {
	b := newBench(t)
	for _, csl := range []string{
		".create table T (a: long)",
		".create table T ingestion json mapping 'm' '[{\"column\":\"a\",\"path\":\"$.a\"},]'",
		".create table T ingestion json mapping 'n' \"[{'column':'a','path':'$.a'} /* all */ ]\"",
		`.alter table T policy ingestionbatching @"{ 'MaximumBatchingTimeSpan': '00:00:10' }"`,
		`.alter-merge table T policy ingestionbatching "{ MaximumNumberOfItems: 20, }"`,
		`.set-or-append T with (tags="['x',]") <| print a = 1`,
	} {
		if _, _, err := b.try(root, csl); err != nil {
			t.Errorf("%s: %v", csl, err)
		}
	}
	_, rows, err := b.try(root, ".show table T policy ingestionbatching | extend p = todynamic(Policy) | project p.MaximumBatchingTimeSpan, p.MaximumNumberOfItems")
	if want := [][]string{{"00:00:10", "20"}}; err != nil || !cmp.Equal(rows, want) {
		t.Errorf("policy = %v, %v, want %v", rows, err, want)
	}
	_, rows, err = b.try(root, ".show table T extents | project Tags")
	if want := [][]string{{"x"}}; err != nil || !cmp.Equal(rows, want) {
		t.Errorf("tags = %v, %v, want %v", rows, err, want)
	}
}

// table() takes any constant: https://learn.microsoft.com/kusto/query/table-function.
func TestTableFunctionTakesConstants(t *testing.T) {
	b := newBench(t)
	for _, csl := range []string{".create table T (a: long)", ".set-or-append T <| print a = 7"} {
		if _, _, err := b.try(root, csl); err != nil {
			t.Fatal(err)
		}
	}
	for _, csl := range []string{
		"table('T')", "let n = 'T'; table(n)", "let f = (x: string) { table(x) }; f('T')", "table(strcat('', 'T'))",
		"declare query_parameters(n: string = 'T'); table(n)",
	} {
		_, rows, err := b.try(root, csl)
		if want := [][]string{{"7"}}; err != nil || !cmp.Equal(rows, want) {
			t.Errorf("%s: %v, %v, want %v", csl, rows, err, want)
		}
	}
	if _, _, err := b.try(root, "T | extend n = 'T' | where toscalar(table(n) | count) > 0"); err == nil {
		t.Error("a column was accepted as the name of a table")
	}
}

// What the emulator does not do is refused by name: a client must not mistake it for a
// misspelt command.
func TestUnsupportedCommandsAreRefusedByName(t *testing.T) {
	b := newBench(t)
	if _, _, err := b.try(root, ".create table T (a: long)"); err != nil {
		t.Fatal(err)
	}
	for _, csl := range []string{
		".show principal access", ".show principal access with (principal='aadapp=x')", ".show table T principal access",
		".create database X", ".create database X persist (@'a', @'b')", ".drop database X", ".show capacity", ".show queries",
		".show running queries", ".show commands", ".show commands-and-queries", ".show cluster policy capacity", ".show cluster databases",
		".show export containers", ".alter-merge tables T (d: string)", ".show operations failures", ".show tables schema",
		".show functions details", ".show databases identity", ".show databases entities", ".show database identity",
		".set stored_query_result X <| T", ".show operation x", ".alter database db policies '{}'",
		".alter table T policy roworder (a asc)",
	} {
		_, _, err := b.try(root, csl)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Code != CodeBadRequest || e.Inner != nil || !strings.Contains(e.Message, "not supported") && !strings.Contains(e.Message, "ingestion service") {
			t.Errorf("%s: %v, want a refusal that says that it is not supported", csl, err)
		}
	}
	for _, csl := range []string{"print current_cursor()", "print cursor_current()", "T | where cursor_after('')"} {
		if _, _, err := b.try(root, csl); err == nil || !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s: %v, want a refusal that says that it is not supported", csl, err)
		}
	}
}

// https://learn.microsoft.com/kusto/management/alter-database-prettyname
func TestPrettyName(t *testing.T) {
	b := newBench(t)
	for _, step := range []struct{ csl, want string }{
		{".alter database db prettyname 'Security data'", "Security data"},
		{".drop database db prettyname", ""},
	} {
		columns, _, err := b.try(root, step.csl)
		if err != nil || !cmp.Equal(columns, []string{"DatabaseName", "PrettyName", "Status"}) {
			t.Errorf("%s: %v, %v", step.csl, columns, err)
		}
		_, rows, err := b.try(root, ".show databases | project PrettyName")
		if want := [][]string{{step.want}}; err != nil || !cmp.Equal(rows, want) {
			t.Errorf("after %s: %v, %v, want %v", step.csl, rows, err, want)
		}
	}
	if _, _, err := b.try(principal("other"), ".alter database db prettyname 'x'"); err == nil {
		t.Error("somebody without a role changed the name")
	}
}

// https://learn.microsoft.com/kusto/management/show-cluster-principals-command
func TestShowClusterPrincipals(t *testing.T) {
	b := newBench(t)
	_, rows, err := b.try(root, ".show cluster principals | project Role, PrincipalFQN")
	if want := [][]string{{"AllDatabasesAdmin", root.FQN()}}; err != nil || !cmp.Equal(rows, want) {
		t.Errorf("principals = %v, %v, want %v", rows, err, want)
	}
	_, _, err = b.try(principal("other"), ".show cluster principals")
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeForbidden {
		t.Errorf("another caller: %v, want Forbidden", err)
	}
}

// .merge table is an older name of .alter-merge table, which Microsoft's parser
// (@kusto/language-service-next) accepts.
func TestMergeTable(t *testing.T) {
	b := newBench(t)
	for _, csl := range []string{".create table T (a: long)", ".merge table T (b: string)"} {
		if _, _, err := b.try(root, csl); err != nil {
			t.Fatalf("%s: %v", csl, err)
		}
	}
	columns, _, err := b.try(root, "T")
	if want := []string{"a", "b"}; err != nil || !cmp.Equal(columns, want) {
		t.Errorf("columns = %v, %v, want %v", columns, err, want)
	}
}

// https://learn.microsoft.com/kusto/query/cluster-function: a name, with or without the
// domain. Another cluster is refused.
func TestOwnClusterNames(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ClusterURI = "https://own.kusto.windows.net" })
	b.run(".create table T (a: long)")
	for name, want := range map[string]bool{
		"own": true, "OWN.kusto.windows.net": true, "https://own.kusto.windows.net": true, "localhost": true,
		"other": false, "own.westeurope": false, "own.kusto.windows.net.example.org": false,
	} {
		_, _, err := b.try(root, "cluster('"+name+"').database('db').T | count")
		if (err == nil) != want {
			t.Errorf("cluster('%s'): %v, want answered = %t", name, err, want)
		}
	}
}
