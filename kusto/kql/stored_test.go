package kql_test

import (
	"fmt"
	"testing"

	"github.com/tvmexport/tvmexport/internal/jsonnames"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Databases hold these names and words.
func TestStoredWords(t *testing.T) {
	lines := []string{
		kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable, kql.LatestView, kql.RecordsMapping, kql.LandingMapping,
		"folder " + kql.Folder, kql.RunTag("R"), kql.KeyTag("K"),
		kql.MappingJSON(kql.LandingPaths), kql.MappingJSON(kql.RecordsPaths),
	}
	for _, state := range []string{
		kql.LeaseState, kql.ReleasedState, kql.SpentState, kql.EndedState, kql.AuditedState, kql.PublishingState, kql.AbandonedState,
		kql.CommittedState, kql.TakenOverState, kql.ShapeState,
	} {
		lines = append(lines, "state "+state)
	}
	for _, table := range []struct {
		name    string
		columns []kql.Column
	}{
		{kql.ConfigurationTable, kql.ConfigurationColumns},
		{kql.AuditTable, kql.AuditColumns},
		{kql.RunsTable, kql.RunsColumns},
		{kql.PartitionsTable, kql.PartitionsColumns},
		{"Raw", kql.RawColumns},
		{"Landing", kql.LandingColumns},
	} {
		for i, c := range table.columns {
			lines = append(lines, fmt.Sprintf("%s %d %s:%s", table.name, i, c.Name, c.Kind))
		}
	}
	jsonnames.Kept(t, "stored_words", lines)
}
