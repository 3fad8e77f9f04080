package engine

import "testing"

func TestIngestionTimePolicy(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.run(`.set-or-append T <| print a = 1`)
	b.run(`.alter table T policy ingestiontime false`)
	b.run(`.set-or-append T <| print a = 2`)
	b.run(`.alter table T policy ingestiontime true`)
	b.run(`.set-or-append T <| print a = 3`)
	b.want(`.show table * policy ingestiontime | project EntityName, Policy`, `[db].[T] | {"IsEnabled":true}`)
	b.run(`.delete table T policy ingestiontime`)
	b.run(`.set-or-append T <| print a = 4`)
	b.want(`.show table T details | project TableName`, "T")
	b.run(`.set-or-append U <| T | where isnull(ingestion_time()) | project a`)
	b.wantValues("U", 2, 4)
	b.run(`.set V with (policy_ingestiontime=False) <| print a = 5`)
	b.run(`.set W with (policy_ingestiontime=true) <| print a = 6`)
	b.want(`V | union W | where isnull(ingestion_time())`, "5")
	b.fails(root, `.set X with (policy_ingestiontime=5) <| print a = 5`, CodeBadRequest, "'policy_ingestiontime' must be true or false")
	b.fails(root, `.set-or-append V with (distributed=maybe) <| print a = 5`, CodeBadRequest, "'distributed' must be true or false")
}
