package kusto

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// initialised runs init and returns the functions that it made and removed.
func (s stage) initialised(o setup.Options, tables ...tvmexport.Table) (made, removed []string) {
	s.Helper()
	result, err := s.client.Setup().Init(s.Context(), tables, o)
	s.must(err)
	for _, c := range result.Made {
		switch c.Kind {
		case setup.MakeFunction:
			made = append(made, c.Name)
		case setup.DropFunction:
			removed = append(removed, c.Name)
		}
	}
	return made, removed
}

// Each row of hunting comes once, with what the export knows of it.
func TestEnriched(t *testing.T) {
	const hunting, exported = "DeviceTvmSoftwareVulnerabilities", "TvmSoftwareVulnerabilities"
	onStage(t, func(s stage) {
		w := witnesses{stage: s, last: map[string]tvmexport.RunID{}}
		s.setUp(w.table(hunting), w.table(exported))
		s.initialised(setup.Options{Enriched: true}, w.table(hunting), w.table(exported))
		w.shows(
			hunting, time.Now(),
			software("3f01", `"agent"`, `"1.0"`, `"CVE-2026-1"`), software("3f01", `"agent"`, `"1.0"`, `"CVE-2026-1"`),
			software("3f01", `"agent"`, `null`, `"CVE-2026-2"`), software("3f02", `"agent"`, `"1.0"`, `"CVE-2026-1"`), software("3f03", `"ünïcode"`, `"1"`, `"CVE-2026-9"`),
			software("3f04", `"agent"`, `"1.0"`, `"CVE-2026-1"`),
		)
		seen := func(first, last, group string) []string {
			return []string{"FirstSeenTimestamp", first, "LastSeenTimestamp", last, "RbacGroupId", group, "CvssScore", "7.5", "ExploitabilityLevel", `"NoExploit"`, "DiskPaths", `["c:\\agent"]`}
		}
		const day1, day2, day3 = `"2026-11-01T00:00:00Z"`, `"2026-11-02T00:00:00Z"`, `"2026-11-03T00:00:00Z"`
		w.shows(
			exported, time.Now(),
			software("3f01", `"Agent"`, `"1.0"`, `"CVE-2026-1"`, seen(day1, day3, "1")...), // moved from here
			software("3f01", `"Agent"`, `"1.0"`, `"CVE-2026-1"`, seen(day2, day2, "9")...),
			software("3f01", `"agent"`, `""`, `"CVE-2026-2"`, seen(day1, day1, "2")...),
			software("3f02", `"agent"`, `"1.0"`, `"CVE-2026-1"`, seen(day1, day3, "2")...), // in two groups at once
			software("3f02", `"agent"`, `"1.0"`, `"CVE-2026-1"`, seen(day1, day3, "10")...),
			software("3f03", `"Ünïcode"`, `"1"`, `"CVE-2026-9"`, seen("null", "null", "null")...),
			software("3f04", `"agent"`, `"1.0"`, `null`, seen(day1, day1, "1")...), // without a CVE
			software("3f05", `"agent"`, `"1.0"`, `"CVE-2026-1"`, seen(day1, day1, "1")...),
		)
		const shown = ` | extend Line = strcat(DeviceId, " ", CveId, " ", format_datetime(FirstSeenTimestamp, "dd"), " ", format_datetime(LastSeenTimestamp, "dd"), " ", RbacGroupId, " ", CvssScore, " ", ExploitabilityLevel, " ", array_length(DiskPaths))
| project Line | order by Line asc`
		got := s.ask(views.EnrichedName("") + shown)
		for i, line := range got {
			got[i] = strings.Join(strings.Fields(line), " ")
		}
		if d := cmp.Diff([]string{
			"3f01 CVE-2026-1 01 03 1 7.5 NoExploit 1", "3f01 CVE-2026-1 01 03 1 7.5 NoExploit 1", "3f01 CVE-2026-2 01 01 2 7.5 NoExploit 1",
			"3f02 CVE-2026-1 01 03 10 7.5 NoExploit 1", "3f03 CVE-2026-9 7.5 NoExploit 1", "3f04 CVE-2026-1",
		}, got); d != "" {
			t.Errorf("the enriched rows (-want +got):\n%s", d)
		}
		var want []string
		for _, c := range w.table(hunting).Columns {
			want = append(want, c.Name)
		}
		want = append(want, "FirstSeenTimestamp", "LastSeenTimestamp", "ExploitabilityLevel", "CvssScore", "RbacGroupId", "RbacGroupName", "DiskPaths", "RegistryPaths")
		if d := cmp.Diff(want, s.ask(views.EnrichedName("")+" | getschema | project ColumnName")); d != "" {
			t.Errorf("its columns (-want +got):\n%s", d)
		}
		for _, table := range []string{exported, hunting} { // the source may drop any column
			s.mustAdmin(".create-or-alter function " + table + "() { " + table + "AsOf(now()) | project-away CveId, SoftwareName }")
			if d := cmp.Diff([]string{"6 0"}, s.ask(views.EnrichedName("")+` | summarize n = count(), known = countif(isnotnull(CvssScore)) | project strcat(n, " ", known)`)); d != "" {
				t.Errorf("without columns of the key of %s (-want +got):\n%s", table, d)
			}
		}
	})
}

// The function is there if it is wanted and both tables are there, and is removed otherwise.
func TestEnrichedComesAndGoes(t *testing.T) {
	onStage(t, func(s stage) {
		w := witnesses{stage: s}
		hunting, exported, other := w.table("DeviceTvmSoftwareVulnerabilities"), w.table("TvmSoftwareVulnerabilities"), w.table("DeviceTvmInfoGathering")
		name, wanted := views.EnrichedName(""), setup.Options{Enriched: true}
		hiding := func(policies map[string]tvmexport.ColumnPolicy) setup.Options {
			return setup.Options{Enriched: true, Policy: func(table string) tvmexport.ColumnPolicy { return policies[table] }}
		}
		masked := tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId", "CveId"}}
		for _, c := range []struct {
			about   string
			before  string // a command of an administrator
			options setup.Options
			tables  []tvmexport.Table
			made    bool
			removed bool
		}{
			{"one table alone", "", wanted, []tvmexport.Table{hunting}, false, false},
			{"not wanted", "", setup.Options{}, []tvmexport.Table{hunting, exported}, false, false},
			{"both are there", "", wanted, []tvmexport.Table{other}, true, false},
			{"again", "", wanted, []tvmexport.Table{hunting, exported}, false, false},
			{"switched off", "", setup.Options{}, []tvmexport.Table{other}, false, true},
			{"switched off again", "", setup.Options{}, []tvmexport.Table{hunting}, false, false},
			{"switched on", "", wanted, []tvmexport.Table{hunting}, true, false},
			{"another prefix", "", setup.Options{Enriched: true, FunctionPrefix: "hunt_"}, []tvmexport.Table{other}, false, false},
			{"pseudonyms on one side", "", hiding(map[string]tvmexport.ColumnPolicy{exported.Name: masked}), []tvmexport.Table{hunting}, false, true},
			{"pseudonyms on both sides", "", hiding(map[string]tvmexport.ColumnPolicy{hunting.Name: masked, exported.Name: masked}), []tvmexport.Table{hunting}, true, false},
			{"a column of the key is not published", "", hiding(map[string]tvmexport.ColumnPolicy{hunting.Name: {Exclude: []string{"SoftwareName"}}}), []tvmexport.Table{other}, false, true},
			{"another column is not published", "", hiding(map[string]tvmexport.ColumnPolicy{exported.Name: {Exclude: []string{"DiskPaths"}}}), []tvmexport.Table{other}, true, false},
			{"a table is gone", ".drop function TvmSoftwareVulnerabilities", wanted, []tvmexport.Table{hunting}, false, true},
			{"a function of others", ".create function with (folder = 'mine') " + name + "() { print 1 }", setup.Options{}, []tvmexport.Table{hunting, exported}, false, false},
			{"it is not replaced", "", wanted, []tvmexport.Table{hunting, exported}, false, false},
		} {
			if c.before != "" {
				s.mustAdmin(c.before)
			}
			made, removed := s.initialised(c.options, c.tables...)
			if slices.Contains(made, name) != c.made || slices.Contains(removed, name) != c.removed || len(removed) > 1 {
				t.Errorf("%s: made %q, removed %q", c.about, made, removed)
			}
		}
	})
}

// A run that makes the function of the second table makes the enriched one too.
func TestEnrichedFollowsARun(t *testing.T) {
	onStage(t, func(s stage) {
		w := witnesses{stage: s}
		hunting, exported := w.table("DeviceTvmSoftwareVulnerabilities"), w.table("TvmSoftwareVulnerabilities")
		s.setUp(hunting, exported)
		for _, c := range []struct {
			enriched bool
			want     string
		}{{true, "was created"}, {true, ""}, {false, "was removed"}, {false, ""}} {
			installer := setup.NewInstaller(setup.Parts{Conn: s.client.conn, Ledger: s.client.ledger, Configuration: s.client.configuration, Options: setup.Options{Enriched: c.enriched}})
			changes, err := installer.SyncSchema(s.Context(), exported)
			s.must(err)
			text := strings.Join(changes, "; ")
			if (c.want == "") != (text == "") || !strings.Contains(text, c.want) {
				t.Errorf("enriched %t: %q, want %q", c.enriched, text, c.want)
			}
		}
	})
}
