package engine

import (
	"strings"
	"testing"
	"time"
)

// What cannot be a materialized view, or its source, is refused as its pages say.
func TestViewsAreRefused(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (k:string, n:long, at:datetime), R (k:string, n:long), P (k:string, n:long), U (k:string, n:long)`)
	b.run(`.alter table R policy restricted_view_access true`)
	b.run(`.alter table P policy row_level_security enable "P | where n > 1"`)
	b.run(`.alter table U policy ingestiontime false`)
	b.run(`.create materialized-view Dedup on table T { T | summarize take_any(*) by k }`)
	b.run(`.create materialized-view Sums on table T { T | summarize sum(n) by k }`)
	for view, reason := range map[string]string{
		`V on table R { R | summarize count() by k }`:                                         "it has a restricted_view_access policy",
		`V on table U { U | summarize count() by k }`:                                         "its ingestiontime policy is off",
		`V on table P { P | summarize arg_max(n, *) by k }`:                                   "it has a row_level_security policy",
		`V on materialized-view Sums { Sums | summarize count() by k }`:                       "only a view that is take_any(*)",
		`V on table T { T | where n > 1 }`:                                                    "must end in a summarize operator",
		`V on table T { T }`:                                                                  "must end in a summarize operator",
		`V on table T { T | summarize count() by k | where count_ > 1 }`:                      "one summarize operator, the last",
		`V on table T { T | summarize n = sum(n) by k | summarize count() by k }`:             "one summarize operator, the last",
		`V on table T { T | summarize by k }`:                                                 "with an aggregate",
		`V on table T { T | summarize x = sum(n) / count() by k }`:                            "not a computation with it",
		`V on table T { T | summarize stdev(n) by k }`:                                        "each aggregate must be a call of one of",
		`V on table T { T | sort by n asc | summarize count() by k }`:                         "cannot have 'sort'",
		`V on table T { T | top 3 by n | summarize count() by k }`:                            "cannot have 'top'",
		`V on table T { T | top-nested 1 of k by sum(n) | summarize count() by k }`:           "cannot have 'top-nested'",
		`V on table T { T | serialize | summarize count() by k }`:                             "cannot have 'serialize'",
		`V on table T { T | join kind=inner (T | order by n) on k | summarize count() by k }`: "cannot have 'order'",
		`V on table T { T | where at > ago(5d) | summarize count() by k }`:                    "cannot have 'ago()'",
		`V on table T { T | extend x = now() | summarize count() by k }`:                      "cannot have 'now()'",
		`V on table T { database("db").T | summarize count() by k }`:                          "cannot have 'database'",
		`V on table T { macro-expand G as X (X.T) | summarize count() by k }`:                 "cannot have 'macro-expand'",
	} {
		b.fails(root, `.create materialized-view `+view, CodeBadRequest, reason)
	}
	b.run(`.create materialized-view A on materialized-view Dedup { Dedup | summarize count() by k }`)
	b.run(`.create materialized-view B on table P { P | summarize count() by k }`)
	b.run(`.create materialized-view with (allowMaterializedViewsWithoutRowLevelSecurity=true) C on table P { P | summarize arg_max(n, *) by k }`)
	b.run(`.create materialized-view D on table T { let w = (x:long) { x > 1 }; T | where w(n) | summarize n = max(n), percentiles(n, 5, 50) by k, bin(at, 1d) }`)

	// What would break a view that is there.
	b.fails(root, `.alter table T policy restricted_view_access true`, CodeBadRequest, "it is the source of the materialized view 'D'")
	b.fails(root, `.alter table T policy ingestiontime false`, CodeBadRequest, "it is the source of the materialized view 'D'")
	b.fails(root, `.delete table T policy ingestiontime`, CodeBadRequest, "it is the source of the materialized view 'D'")
	b.fails(root, `.alter table T policy row_level_security enable "T"`, CodeBadRequest, "the materialized view 'Dedup' shows its rows")
	b.run(`.alter table T policy row_level_security disable "T"`)
	b.run(`.alter table T policy row_level_security enable with (allowMaterializedViewsWithoutRowLevelSecurity=true) "T"`)
	b.run(`.alter table T policy ingestiontime true`)
}

// Extents come into a view's source with a new ingestion time, so that the view sees them.
func TestExtentsMoveIntoSourcesOfViews(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables S (a:long), T (a:long)`)
	b.ingest("S", longs(1, 2))
	b.ingest("T", longs(5, 1))
	b.run(`.create materialized-view V on table T { T | summarize count() by a }`)
	const reason = "Cannot move extents to 'T' since materialized view 'V' will not process these extents"
	b.fails(root, `.move extents all from table S to table T`, CodeBadRequest, reason)
	b.fails(root, `.replace extents in table T <| { .show table T extents }, { .show table S extents }`, CodeBadRequest, reason)
	b.wantValues("T", 5)
	b.run(`.move extents all from table S to table T with (setNewIngestionTime=true)`)
	b.wantValues("T", 1, 2, 5)
	b.run(`.move extents all from table T to table S`)
	b.wantValues("S", 1, 2, 5)
}

// A view begins with its creation unless it is backfilled.
func TestViewsBeginWithTheirCreation(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (k:string)`)
	b.run(`.set-or-append T <| print k = "before"`)
	b.clock = b.clock.Add(time.Hour)
	b.run(`.create materialized-view Later on table T { T | summarize count() by k }`)
	b.run(`.create materialized-view with (backfill=true) All on table T { T | summarize count() by k }`)
	b.run(`.create materialized-view with (backfill=true, effectiveDateTime=datetime(` + b.clock.Add(-time.Minute).Format(time.DateTime) + `)) Some on table T { T | summarize count() by k }`)
	b.clock = b.clock.Add(time.Hour)
	b.run(`.set-or-append T <| print k = "after"`)
	b.run(`.create-or-alter materialized-view Later on table T { T | summarize n = count() by k }`)
	for view, want := range map[string]string{"Later": "after", "All": "after before", "Some": "after"} {
		if got := strings.Join(b.run(view+` | sort by k asc | project k`), " "); got != want {
			t.Errorf("%s = %q, want %q", view, got, want)
		}
	}
}
