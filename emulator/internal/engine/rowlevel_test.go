package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRowLevelSecurity(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long)`)
	b.ingest("T", longs(1, 5), "drop-by:x")
	b.run(`.create function F() { T | where a > 1 }`)
	b.run(`.add database db admins ('` + principal("boss").FQN() + `')`)
	b.run(`.add database db viewers ('` + principal("v").FQN() + `')`)
	b.run(`.alter table T policy row_level_security enable "T | where a < 3 or current_principal() == '` + principal("v").FQN() + `'"`)

	// It holds for administrators and for its author, in functions, and behind <|.
	for _, who := range []Principal{root, principal("boss")} {
		if got := b.as(who, `T | count`); !cmp.Equal(got, []string{"2"}) {
			t.Error(who.AppID, got)
		}
	}
	if got := b.as(principal("v"), `T | count`); !cmp.Equal(got, []string{"5"}) {
		t.Error(got)
	}
	b.want(`F`, "2")
	b.want(`database("db").T | count`, "2")
	b.want(`union T, U | count`, "2")
	b.want(`let X = T; X | where ingestion_time() <= now() and extent_tags() has "drop-by:x" | count`, "2")
	b.run(`.set-or-append U <| T`)
	b.want(`U | count`, "2")

	// What the engine says of its extents is not touched.
	if got := b.cells(`.show table T extents`, "RowCount"); !cmp.Equal(got, []string{"5"}) {
		t.Error(got)
	}
	if got := b.cells(`.show table T details`, "TotalRowCount"); !cmp.Equal(got, []string{"5"}) {
		t.Error(got)
	}
	if got := b.cells(`.show table T policy row_level_security`, "PolicyName", "EntityName", "EntityType"); !cmp.Equal(got, []string{"RowLevelSecurityPolicy | [db].[T] | Table"}) {
		t.Error(got)
	}
	if got := b.cells(`.show table * policy row_level_security | where Policy != "null"`, "EntityName"); !cmp.Equal(got, []string{"[db].[T]"}) {
		t.Error(got)
	}

	b.run(`.alter table T policy row_level_security disable "T | where a < 3"`)
	b.want(`T | count`, "5")
	b.want(`set query_force_row_level_security; T | count`, "2")
	b.run(`.delete table T policy row_level_security`)
	b.want(`set query_force_row_level_security; T | count`, "5")
}

func TestRowLevelSecurityIsRefused(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long), V (a:long)`)
	for csl, reason := range map[string]string{
		`.alter table T policy row_level_security enable "T | extend b = 1"`:                     "must produce the table's columns",
		`.alter table T policy row_level_security enable "T | project a = tostring(a)"`:          "must produce the table's columns",
		`.alter table T policy row_level_security enable "Nope"`:                                 "'Nope'",
		`.alter table T policy row_level_security enable`:                                        `enable "query"`,
		`.alter table T policy row_level_security '{"IsEnabled":true}'`:                          `enable "query"`,
		`.alter database db policy row_level_security enable "T"`:                                "is supported by this emulator in",
		`.alter table T policy streamingingestion enable "T"`:                                    "",
		`.alter-merge table T policy row_level_security enable "T"`:                              "is supported by this emulator in",
		`.alter tables (T, U) policy row_level_security enable "union T, (U | where a == null)"`: "",
	} {
		b.fails(root, csl, CodeBadRequest, reason)
	}
	b.run(`.alter table T policy update '[{"IsEnabled":true,"Source":"U","Query":"U","IsTransactional":true}]'`)
	b.fails(root, `.alter table U policy row_level_security enable "U"`, CodeBadRequest, "the update policy of table 'T' refers to it")
	b.run(`.alter table T policy row_level_security enable "T | where a > 1"`)
	b.fails(root, `.alter table V policy update '[{"IsEnabled":true,"Source":"T","Query":"T","IsTransactional":true}]'`, CodeBadRequest, "without a managed identity")
	b.fails(root, `.alter table T policy restricted_view_access true`, CodeBadRequest, "it has a row_level_security policy")
	b.run(`.alter table V policy restricted_view_access true`)
	b.fails(root, `.alter table V policy row_level_security enable "V"`, CodeBadRequest, "it has a restricted_view_access policy")

	// A query that reads a table with a policy of its own fails when it is carried out.
	b.ingest("V", longs(1, 1))
	b.run(`.alter table V policy restricted_view_access false`)
	b.run(`.alter table V policy row_level_security disable "V | where a in (T)"`)
	b.fails(root, `set query_force_row_level_security; V`, CodeBadRequest, "which has the same policy")
}

func TestRestrictedViewAccess(t *testing.T) {
	b := newBench(t)
	boss, maker, both, only := principal("boss"), principal("maker"), principal("both"), principal("only")
	b.run(`.add database db admins ('` + boss.FQN() + `')`)
	b.run(`.add database db users ('` + maker.FQN() + `')`)
	b.run(`.add database db ingestors ('` + maker.FQN() + `')`)
	b.run(`.add database db viewers ('` + both.FQN() + `')`)
	b.run(`.add database db unrestrictedviewers ('` + both.FQN() + `', '` + only.FQN() + `')`)
	b.as(maker, `.create table T (a:long)`)
	b.as(maker, `.create table U (a:long)`)
	b.as(maker, `.alter table T policy restricted_view_access true`)
	for _, who := range []Principal{boss, maker, root} {
		b.fails(who, `T | count`, CodeForbidden, "whose view access is restricted")
		b.fails(who, `.set-or-append U <| T`, CodeForbidden, "whose view access is restricted")
	}
	b.as(both, `T | count`)
	b.fails(only, `T | count`, CodeForbidden, "is not authorized to read database 'db'")
	b.as(maker, `.show table T extents`)
	b.as(maker, `.show table T details`)
	b.run(`.create materialized-view M on table U { U | summarize count() by a }`)
	b.fails(root, `.alter table U policy restricted_view_access true`, CodeBadRequest, "it is the source of the materialized view 'M'")
	b.as(maker, `.alter table T policy restricted_view_access false`)
	b.as(maker, `T | count`)
}
