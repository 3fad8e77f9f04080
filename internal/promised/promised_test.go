package promised

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What one of the services alone documents is found, also in a script and in any case.
func TestOneOnly(t *testing.T) {
	for text, page := range map[string]string{
		".purge table T records in database D with (noregrets='true') <| where a == 1":          "concepts/data-purge.md",
		".move extents all from table S to table T":                                             "management/move-extents.md",
		".move async extents to table T <| .show table S extents":                               "management/move-extents.md",
		".replace async extents in table T <| {.show table T extents}, {.show table S extents}": "management/replace-extents.md",
		".drop table T extent tags ('x')":                                                       "management/drop-extent-tags.md",
		".drop async table ['a b'] extent tags <| .show table T extents":                        "management/drop-extent-tags.md",
		".alter-merge async extent tags ('x') <| .show table T extents":                         "management/alter-extent.md",
		".delete async table T records <| T | where a == 1":                                     "management/soft-delete-command.md",
		".DELETE TABLE T RECORDS <| T | where a == 1":                                           "management/soft-delete-command.md",
		".alter table T policy streamingingestion enable":                                       "management/alter-table-streaming-ingestion-policy-command.md",
		".show database ['my db'] policy streamingingestion":                                    "management/alter-database-streaming-ingestion-policy-command.md",
		".delete table T policy sharding":                                                       "management/alter-table-sharding-policy-command.md",
		".alter database D prettyname 'x'":                                                      "management/alter-database-prettyname.md",
		".show capacity":                                                                        "management/show-capacity-command.md",
		".show capacity | project Resource":                                                     "management/show-capacity-command.md",
		".show follower databases":                                                              "management/cluster-follower.md",
		".execute database script with (ThrowOnErrors=true) <|\n.create table T (a: long)\n  .move extents all from table S to table T": "management/move-extents.md",
		"T | where cursor_after('')": "query/database-cursor.md",
		".alter table T policy update @'[{\"IsEnabled\": true, \"ManagedIdentity\": \"system\"}]'": "management/update-policy-with-managed-identity.md",
		".alter-merge table T policy mirroring with (IsEnabled=true)":                              "management/mirroring-policy.md",
		".show table T operations mirroring-failures":                                              "management/show-table-operations-mirroring-status-command.md",
	} {
		if got := OneOnly(text); !strings.Contains(got, "("+page+")") {
			t.Errorf("%s: %q, want page %s", text, got, page)
		}
	}
	for _, text := range []string{
		".show table T extents where tags has 'drop-by:x'", ".drop extents (a-b) from T", ".update async table T delete D move S <| let D = T | where a == 1",
		".alter table T policy extent_tags_retention '[]'", ".alter table T policy merge '{}'", ".delete table T policy retention", ".clear table T data",
		".set-or-append T <| print s = '.move extents'", ".show tables details", `T | where Text has "records"`, ".alter table T policy update @'[{\"ManagedIdentity\": null}]'",
	} {
		if got := OneOnly(text); got != "" {
			t.Errorf("%s: %s, want none", text, got)
		}
	}
}

// No golden text of the destination depends on one service.
func TestGoldenTextsAreForBothServices(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../../kusto", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".kql" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found++
		if only := OneOnly(string(text)); only != "" {
			return fmt.Errorf("%s: %s", path, only)
		}
		return nil
	})
	if err != nil || found < 50 {
		t.Errorf("%d golden texts, %v", found, err)
	}
}
