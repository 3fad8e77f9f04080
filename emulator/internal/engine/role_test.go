package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Roles that a command needs at least, by the pages of the commands.
func TestLeastRoles(t *testing.T) {
	const (
		admin, user, viewer, unrestricted, ingestor, monitor = "a", "u", "v", "r", "i", "m" // of the database
		tableAdmin, tableIngestor                            = "A", "I"                     // of table T
		nobody                                               = "n"
	)
	all := []string{admin, user, viewer, unrestricted, ingestor, monitor, tableAdmin, tableIngestor, nobody}
	tests := []struct{ csl, may string }{
		{`.create table N (a:long)`, admin + user},
		{`.create-merge table T (n:long)`, admin + tableAdmin},
		{`.create-merge table N (n:long)`, admin + user},
		{`.create table N based-on T`, admin},
		{`.alter-merge table T (n:long)`, admin + tableAdmin},
		{`.drop table T`, admin + tableAdmin},
		{`.clear table T data`, admin + tableAdmin},
		{`.create table T ingestion json mapping "M" '[]'`, admin + ingestor + tableAdmin + tableIngestor},
		{`.create database db ingestion json mapping "M" '[]'`, admin + ingestor},
		{`.create function with (skipvalidation=true) G() { 1 }`, admin + user},
		{`.alter function with (skipvalidation=true) F() { 1 }`, admin},
		{`.alter table T policy merge '{"AllowMerge":false}'`, admin + tableAdmin},
		{`.alter database db policy merge '{"AllowMerge":false}'`, admin},
		{`.show tables`, admin + user + viewer + monitor},
		{`.show table T cslschema`, admin + user + viewer + monitor + tableAdmin},
		{`.show table T extents`, admin + user + viewer + monitor + tableAdmin},
		{`.show database db extents`, admin + user + viewer + monitor},
		{`.show database db schema as json`, admin + user + viewer + monitor},
		{`.show functions`, admin + user + viewer + monitor},
		{`.show database db principals`, admin + monitor},
		{`.show table T principals`, admin + monitor + tableAdmin},
		{`.show table T policy merge`, admin + user + viewer + monitor + tableAdmin},
		{`.show principal roles`, strings.Join(all, "")},
		{`.show operations`, strings.Join(all, "")},
		{`.add database db users ('aadapp=x')`, admin},
		{`.add table T ingestors ('aadapp=x')`, admin + tableAdmin},
		{`.drop extents (11111111-2222-3333-4444-555555555555) from T`, admin + tableAdmin},
		{`.drop extents (11111111-2222-3333-4444-555555555555)`, admin},
		{`.drop extents older 1 days from all tables`, admin},
		{`.move extents all from table T to table T`, admin + tableAdmin},
		{`.move extents all from table T to table S`, admin},
		{`.drop table T extent tags ('x')`, admin + tableAdmin},
		{`.execute database script <| .show tables`, admin},
		{`.set-or-append T <| S`, admin},
		{`.set-or-replace T <| S`, admin},
		{`.append T <| S`, admin},
		{`.rename table T to V`, admin + tableAdmin},
	}
	for _, tt := range tests {
		for _, who := range all {
			b := newBench(t)
			b.run(`.create tables T (a:long), S (a:long)`)
			b.run(`.create function with (skipvalidation=true) F() { 1 }`)
			for _, g := range []string{
				`database db admins ('aadapp=a`, `database db users ('aadapp=u`, `database db viewers ('aadapp=v`,
				`database db unrestrictedviewers ('aadapp=r`, `database db ingestors ('aadapp=i`, `database db monitors ('aadapp=m`,
				`table T admins ('aadapp=A`, `table T ingestors ('aadapp=I`,
			} {
				b.run(".add " + g + ";" + tenant + "')")
			}
			// Application ids are not case-sensitive.
			app := map[string]string{tableAdmin: "ta", tableIngestor: "ti"}[who]
			if app == "" {
				app = who
			} else {
				b.run(".drop table T admins ('aadapp=A;" + tenant + "')")
				b.run(".drop table T ingestors ('aadapp=I;" + tenant + "')")
				b.run(".add table T " + map[string]string{tableAdmin: "admins", tableIngestor: "ingestors"}[who] + " ('aadapp=" + app + ";" + tenant + "')")
			}
			if app == who {
				b.run(".set table T admins none")
				b.run(".set table T ingestors none")
			}
			_, _, err := b.try(principal(app), tt.csl)
			e, _ := err.(*Error)
			denied := e != nil && e.Code == CodeForbidden
			if may := strings.Contains(tt.may, who); may == denied {
				t.Errorf("%s as %s: allowed should be %t, error %v", tt.csl, who, may, err)
			}
			if denied && (e.Status != 403 || !strings.HasPrefix(e.Message, "Principal 'aadapp="+app+";"+tenant+"' is not authorized to ")) {
				t.Errorf("%s as %s: %d %s", tt.csl, who, e.Status, e.Message)
			}
		}
	}
}

func TestIngestNeedsIngestor(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long)`)
	b.run(`.add table T ingestors ('aadapp=loader;` + tenant + `')`)
	b.run(`.add database db users ('aadapp=reader;` + tenant + `')`)
	try := func(app, table string) bool {
		_, err := b.Ingest(t.Context(), Ingestion{Principal: principal(app), Database: "db", Table: table, Rows: longs(1, 1)})
		return err == nil
	}
	if !try("loader", "T") || try("loader", "U") || try("reader", "T") {
		t.Error("who may ingest")
	}
	if err := b.Authorize(principal("loader"), "db", "T", Viewer); err == nil {
		t.Error("an ingestor may read")
	}
}

func TestCreatorBecomesAdmin(t *testing.T) {
	b := newBench(t)
	b.run(`.add database db users ('aadapp=maker;` + tenant + `') 'makes tables'`)
	b.run(`.add database db users ('aadapp=other;` + tenant + `')`)
	maker, other := principal("maker"), principal("other")
	b.as(maker, `.create table T (a:long)`)
	b.as(maker, `.alter-merge table T (b:string)`)
	b.as(maker, `.create function with (skipvalidation=true) F() { T }`)
	b.as(maker, `.create-or-alter function with (skipvalidation=true) F() { T | take 1 }`)
	b.fails(other, `.alter-merge table T (c:string)`, CodeForbidden, "is not authorized to administer table 'T' in database 'db'")
	b.fails(other, `.create-or-alter function with (skipvalidation=true) F() { T }`, CodeForbidden, "administer function 'F'")
	if got := b.cells(`.show table T principals`, "Role", "PrincipalType", "PrincipalDisplayName", "PrincipalFQN", "Notes"); !cmp.Equal(got, []string{
		"Database db User | Microsoft Entra application | maker | aadapp=maker;" + tenant + " | makes tables",
		"Database db User | Microsoft Entra application | other | aadapp=other;" + tenant + " | ",
		"Table T Admin | Microsoft Entra application | app maker (app id: maker) | aadapp=maker;" + tenant + " | ",
	}) {
		t.Errorf("%q", got)
	}
	_, rows, err := b.try(maker, `.show principal roles`)
	if err != nil || len(rows) != 3 {
		t.Errorf("roles %v, %v", rows, err)
	}
}

func TestRolesOfOtherTenants(t *testing.T) {
	b := newBench(t)
	b.run(`.add database db users ('aadapp=x;other-tenant')`)
	b.fails(principal("x"), `.show tables`, CodeForbidden, "is not authorized to read the metadata of database 'db'")
	b.run(`.add database db users ('AADApp=X')`)
	b.as(principal("x"), `.show tables`)
	b.run(`.drop database db users ('aadapp=x')`)
	b.fails(principal("x"), `.show tables`, CodeForbidden, "not authorized")
	b.fails(root, `.add database db users ('x')`, CodeBadRequest, "not a fully qualified name")
	b.fails(root, `.add table T users ('aadapp=x')`, CodeBadRequest, "A table has no role 'users'")
}
