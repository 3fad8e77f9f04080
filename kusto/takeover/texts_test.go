package takeover

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// TestTexts compares the queries and commands of a takeover with golden texts.
func TestTexts(t *testing.T) {
	oldEvents := Takeover{
		Table: kqltest.EventsTable, Listed: siblingTable, Old: tvmexport.Order{Active: true}, Rows: 9, Watermark: kqltest.Run.Watermark, Joined: true, Reconfigure: true,
	}
	for name, text := range map[string]string{
		"legacy_survey":              surveyText(oldEvents.Table, kqltest.RawDataColumns, time.Time{}),
		"legacy_survey_state":        surveyText(kqltest.InventoryTable, kql.RawColumns[:1], kqltest.Run.StartedAt),
		"legacy_days":                legacyDaysText(oldEvents, kqltest.RawDataColumns),
		"legacy_days_state":          legacyDaysText(Takeover{Table: kqltest.InventoryTable, Rows: 7}, kql.RawColumns[:1]),
		"legacy_hours":               legacyHoursText(oldEvents, kql.RawColumns[:1], kqltest.Run.Window),
		"legacy_run":                 legacyText(oldEvents, kqltest.RawDataColumns, "20261123T051955Z-legacy"),
		"legacy_configuration":       reconfigureText(oldEvents, kql.NeededColumns),
		"legacy_configuration_seven": reconfigureText(oldEvents, kql.ConfigurationColumns),
		"legacy_listed":              listedText(siblingTable, "HighWatermark"),
		"legacy_audit":               legacyAuditText(Takeover{Table: kqltest.EventsTable, Listed: kql.ConfigurationTable}, false),
		"legacy_audit_exported":      legacyAuditText(Takeover{Table: kqltest.EventsTable, Listed: kql.ConfigurationTable}, true),
		"legacy_audit_again":         legacyAuditText(Takeover{Table: kqltest.EventsTable, Listed: kql.ConfigurationTable, Since: kqltest.Run.StartedAt}, true),
		"legacy_audit_sibling":       legacyAuditText(oldEvents, true),
	} {
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, text) })
	}
}
