package kusto

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// findings is a table of which Changes says why rows vanished.
var findings = tvmexport.Table{
	Name: "Findings", Destination: "FindingsRaw", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"},
	NaturalKey: []string{"DeviceId", "Vendor", "Name", "Version", "CveId", "GroupId"}, Seen: []string{"LastSeen"},
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "Vendor", Type: "string"},
		{Name: "Name", Type: "string"},
		{Name: "Version", Type: "string"},
		{Name: "CveId", Type: "string"},
		{Name: "GroupId", Type: "int"},
		{Name: "LastSeen", Type: "datetime"},
		{Name: "DiskPaths", Type: "dynamic"},
		{Name: "RegistryPaths", Type: "dynamic"},
		{Name: "Reason", Type: "string"}, // a name that Changes has for itself
	},
	Trace: tvmexport.Trace{
		Device: "DeviceId", Group: "GroupId", Software: []string{"Vendor", "Name"}, Version: "Version", Finding: "CveId", LastSeen: "LastSeen",
		Paths: []string{"DiskPaths", "RegistryPaths"}, UserDays: 7, DeviceDays: 30,
	},
}

// finding is a row of the table: DeviceId is put in, and LastSeen is how long before the
// run in which rows vanish.
type finding struct {
	name, version, cve string
	group              int           // 0: null
	seen               time.Duration // 0: null
	disk, registry     string        // "" is left out
}

const aDay = 24 * time.Hour

func (f finding) document(device string, vanishes time.Time) string {
	members := map[string]any{"DeviceId": device, "Vendor": "contoso", "Name": f.name, "Version": f.version, "CveId": f.cve}
	if f.group != 0 {
		members["GroupId"] = f.group
	}
	if f.seen != 0 {
		members["LastSeen"] = vanishes.Add(-f.seen).Format(time.RFC3339Nano)
	}
	for name, path := range map[string]string{"DiskPaths": f.disk, "RegistryPaths": f.registry} {
		if path != "" {
			members[name] = strings.Split(path, "|")
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // of a map of texts
	}
	return string(text)
}

// The paths of a program.
const (
	systemPath = `c:\program files\agent\agent.exe`
	userPath   = `c:\Users\asmith\appdata\agent.exe`
	userKey    = `HKEY_USERS\S-1-5-21-1\SOFTWARE\agent`
	systemKey  = `HKEY_LOCAL_MACHINE\SOFTWARE\agent`
)

var vanishing = []struct {
	name    string
	was, is []finding
	want    string // reasons of the rows that vanished, sorted
}{
	{
		"a group move",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 12, seen: aDay}},
		"moved",
	},
	{
		"a group move of a device that was silent",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 9 * aDay}},
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 12, seen: 9 * aDay}},
		"moved",
	},
	{
		"a move, an upgrade and an uninstall",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}, {name: "agent", version: "1", cve: "CVE-2", group: 3, seen: 2 * aDay}, {name: "viewer", version: "1", cve: "CVE-3", group: 3, seen: 2 * aDay}, {name: "tool", version: "1", cve: "CVE-3", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "2", cve: "CVE-1", group: 12, seen: aDay}, {name: "viewer", version: "1", cve: "CVE-3", group: 12, seen: aDay}},
		"fixed fixed moved uninstalled",
	},
	{"a device that reported yesterday", []finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay}}, nil, "device gone"},
	{"a device that was silent for 29 days", []finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 29 * aDay}}, nil, "device gone"},
	{"a device that was silent for 30 days, less an hour", []finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 30*aDay - time.Hour}}, nil, "expired"},
	{"a device that was silent for 31 days", []finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 31 * aDay}}, nil, "expired"},
	{"a device of which it is not known when it was seen", []finding{{name: "agent", version: "1", cve: "CVE-1", group: 3}}, nil, "unknown"},
	{
		"a device with programs of a user alone, silent for 7 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 7 * aDay, disk: userPath}, {name: "tool", version: "1", cve: "CVE-1", seen: 7 * aDay, disk: "/Users/asmith/Applications/tool.app"}, {name: "viewer", version: "1", seen: 7 * aDay, registry: userKey}},
		nil, "expired expired expired",
	},
	{
		"a device with programs of the system, silent for 7 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 7 * aDay, disk: systemPath + "|" + userPath}, {name: "viewer", version: "1", seen: 7 * aDay, registry: systemKey, disk: userPath}},
		nil, "device gone device gone",
	},
	{
		"what belongs to a user, on a device that was silent for 7 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 7 * aDay, disk: userPath}, {name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 7 * aDay}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 7 * aDay}},
		"expired",
	},
	{
		"a row of a device that was silent for 6 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 6 * aDay}, {name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 6 * aDay}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 6 * aDay}},
		"uninstalled",
	},
	{
		"a row of a user that the device did not report for 8 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 8 * aDay, disk: userPath}, {name: "viewer", version: "1", cve: "CVE-1", seen: 2 * aDay}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", seen: aDay}},
		"expired",
	},
	{
		"a row of a user, of a device that reports again after 8 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 8 * aDay, disk: userPath}, {name: "agent", version: "1", cve: "CVE-2", seen: 9 * aDay, disk: userPath}},
		[]finding{{name: "agent", version: "2", cve: "CVE-1", seen: aDay}},
		"fixed fixed",
	},
	{
		"a row of the system that the device did not report for 8 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 8 * aDay, disk: systemPath}, {name: "viewer", version: "1", cve: "CVE-1", seen: 2 * aDay}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", seen: aDay}},
		"uninstalled",
	},
	{
		"a row of the system that the device did not report for 31 days",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", seen: 31 * aDay, disk: systemPath}, {name: "viewer", version: "1", cve: "CVE-1", seen: 2 * aDay}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", seen: aDay}},
		"expired",
	},
	{
		"a version upgrade that keeps the CVE, and one without any",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}, {name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "2", cve: "CVE-1", group: 3, seen: aDay}, {name: "viewer", version: "2", group: 3, seen: aDay}},
		"fixed fixed",
	},
	{
		"a CVE of a version that has others",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}, {name: "agent", version: "1", cve: "CVE-2", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "1", cve: "CVE-2", group: 3, seen: aDay}},
		"fixed",
	},
	{
		"a version without a CVE gets one, also on a silent device",
		[]finding{{name: "agent", version: "1", group: 3, seen: 9 * aDay}},
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 9 * aDay}},
		"exposed",
	},
	{
		"a version without a CVE becomes one that has some",
		[]finding{{name: "agent", version: "1", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "2", cve: "CVE-1", group: 3, seen: aDay}},
		"fixed",
	},
	{
		"one of two versions side by side, one replaced, and one next to a version that was found vulnerable",
		[]finding{
			{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay},
			{name: "agent", version: "2", cve: "CVE-1", group: 3, seen: 2 * aDay},
			{name: "tool", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay},
			{name: "tool", version: "2", cve: "CVE-1", group: 3, seen: 2 * aDay},
			{name: "viewer", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay},
			{name: "viewer", version: "2", group: 3, seen: 2 * aDay},
		},
		[]finding{
			{name: "agent", version: "2", cve: "CVE-1", group: 3, seen: aDay},
			{name: "tool", version: "2", cve: "CVE-1", group: 3, seen: aDay},
			{name: "tool", version: "3", cve: "CVE-1", group: 3, seen: aDay},
			{name: "viewer", version: "2", cve: "CVE-1", group: 3, seen: aDay},
		},
		"exposed fixed uninstalled uninstalled",
	},
	{
		"a program of another vendor stays",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}, {name: "agent2", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent2", version: "1", cve: "CVE-1", group: 3, seen: aDay}},
		"uninstalled",
	},
	{
		"a device of which it is not known whether it reports",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay}, {name: "viewer", version: "1", cve: "CVE-1", group: 3}},
		[]finding{{name: "viewer", version: "1", cve: "CVE-1", group: 3}},
		"unknown",
	},
	{
		"one of two rows with one identity",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay}, {name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay, disk: userPath}},
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay}},
		"unknown",
	},
	{
		"a row that was seen again",
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}},
		[]finding{{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: aDay}},
		"",
	},
}

// deviceOf is the device of a case.
func deviceOf(i int) string { return fmt.Sprintf("%02x%038d", 16+i, i) }

// TestEmulatorReasons: why rows vanished, from one run to the next: one that replaces partitions,
// and a full one.
func TestEmulatorReasons(t *testing.T) {
	for kind, layout := range map[tvmexport.RunKind]tvmexport.Layout{tvmexport.DeltaRun: tvmexport.TypedOnly, tvmexport.FullRun: tvmexport.RawOnly} {
		t.Run(string(kind), func(t *testing.T) {
			onStage(t, func(s stage) {
				table := findings
				table.Layout = layout
				s.setUp(table)
				vanishes := s.now().Add(aDay)
				parts := func(of func(i int) []finding) map[tvmexport.Partition][]string {
					out := map[tvmexport.Partition][]string{}
					for i := range vanishing {
						p := tvmexport.Of(deviceOf(i), 1)
						out[p] = append(out[p], []string{}...)
						for _, f := range of(i) {
							out[p] = append(out[p], f.document(deviceOf(i), vanishes))
						}
					}
					return out
				}
				first := s.publishDocuments(runOfTable(table, "20260101T000000Z-1", "", tvmexport.FullRun), parts(func(i int) []finding { return vanishing[i].was }))
				time.Sleep(aDay)
				s.publishDocuments(runOfTable(table, "20260102T000000Z-2", string(first), kind), parts(func(i int) []finding { return vanishing[i].is }))
				got := map[string][]string{}
				for _, row := range s.ask(fmt.Sprintf("FindingsChanges(%s, now()) | project Row = strcat(DeviceId, '|', Change, '|', Reason, '|', RunId) | order by Row asc", kql.Datetime(s.committedAt(string(first))))) {
					f := strings.Split(row, "|")
					switch {
					case f[1] == "removed" && f[3] == "20260102T000000Z-2":
						got[f[0]] = append(got[f[0]], f[2])
					case f[1] != "added" || f[2] != "":
						s.Errorf("a row is %s", row)
					}
				}
				for i, c := range vanishing {
					if d := cmp.Diff(c.want, strings.Join(got[deviceOf(i)], " ")); d != "" {
						s.Errorf("%s (-want +got):\n%s", c.name, d)
					}
				}
			})
		})
	}
}

// TestEmulatorReasonsOverManyRuns: the reason is that of the run in which a row vanished last,
// regardless of what came before and after; a full run with another definition gives none.
func TestEmulatorReasonsOverManyRuns(t *testing.T) {
	onStage(t, func(s stage) {
		table := findings
		s.setUp(table)
		var at []time.Time
		previous := ""
		step := func(kind tvmexport.RunKind, definition tvmexport.Table, rows ...finding) {
			s.Helper()
			if len(at) > 0 {
				time.Sleep(aDay)
			}
			var list []string
			for _, f := range rows {
				f.seen = 2 * time.Hour
				list = append(list, f.document("3f01", s.now()))
			}
			id := fmt.Sprintf("2026010%dT000000Z-%d", len(at)+1, len(at))
			previous = string(s.publishDocuments(runOfTable(definition, id, previous, kind), map[tvmexport.Partition][]string{"3": list}))
			at = append(at, s.committedAt(id))
		}
		changes := func(from, to int, want ...string) {
			s.Helper()
			got := s.ask(fmt.Sprintf("FindingsChanges(%s, %s) | where Change == 'removed' | project Row = strcat(Name, Version, ' of ', GroupId, ' ', Reason, ' in ', substring(RunId, 17)) | order by Row asc", kql.Datetime(at[from]), kql.Datetime(at[to])))
			if d := cmp.Diff(want, got); d != "" {
				s.Errorf("from run %d to run %d (-want +got):\n%s", from, to, d)
			}
		}
		agent, tool, viewer := finding{name: "agent", version: "1", cve: "CVE-1", group: 3}, finding{name: "tool", version: "1", cve: "CVE-1", group: 3}, finding{name: "viewer", version: "1", group: 3}
		moved, patched, elsewhere, found := agent, agent, viewer, tool
		moved.group, elsewhere.group, found.disk = 12, 12, userPath
		patched.group, patched.version = 12, "2"
		step(tvmexport.FullRun, table, agent, tool, viewer)   // 0
		step(tvmexport.DeltaRun, table, moved, found, viewer) // 1: found is modified
		step(tvmexport.DeltaRun, table, patched, viewer)      // 2
		step(tvmexport.FullRun, table, patched, tool, viewer) // 3: tool is there again
		step(tvmexport.DeltaRun, table, patched, viewer)      // 4
		step(tvmexport.DeltaRun, table, elsewhere)            // 5
		step(tvmexport.DeltaRun, table)                       // 6
		step(tvmexport.DeltaRun, table, agent)                // 7
		other := table
		other.Policy = tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId"}, Key: "k"}
		step(tvmexport.FullRun, other, finding{name: "agent", version: "1", group: 3}) // 8
		changes(0, 1, "agent1 of 3 moved in 1")
		changes(1, 2, "agent1 of 12 fixed in 2", "tool1 of 3 uninstalled in 2")
		changes(0, 2, "agent1 of 3 moved in 1", "tool1 of 3 uninstalled in 2")
		changes(0, 4, "agent1 of 3 moved in 1", "tool1 of 3 uninstalled in 4")
		changes(4, 5, "agent2 of 12 uninstalled in 5", "viewer1 of 3 moved in 5")
		changes(5, 6, "viewer1 of 12 device gone in 6")
		changes(0, 6, "agent1 of 3 moved in 1", "tool1 of 3 uninstalled in 4", "viewer1 of 3 moved in 5")
		changes(7, 8, "agent1 of 3 unknown in 8")
	})
}

// TestEmulatorReasonsComeWithInit: init replaces the function of a version that gave no reasons, once, and rows
// that vanished before have theirs.
func TestEmulatorReasonsComeWithInit(t *testing.T) {
	onStage(t, func(s stage) {
		older := findings
		older.Trace, older.Seen = tvmexport.Trace{}, nil
		s.setUp(older)
		agent := finding{name: "agent", version: "1", cve: "CVE-1", group: 3, seen: 2 * aDay}
		first := s.publishDocuments(runOfTable(older, "20260101T000000Z-1", "", tvmexport.FullRun), map[tvmexport.Partition][]string{"3": {agent.document("3f01", s.now())}})
		time.Sleep(aDay)
		s.publishDocuments(runOfTable(older, "20260102T000000Z-2", string(first), tvmexport.DeltaRun), map[tvmexport.Partition][]string{"3": nil})
		for _, want := range []int{1, 0} {
			made, err := s.client.Setup().Init(s.Context(), []tvmexport.Table{findings}, setup.Options{})
			s.must(err)
			if len(made.Made) != want || want > 0 && !strings.Contains(made.Made[0].Text, "FindingsChanges(") {
				s.Errorf("init made %v, want %d functions", made.Made, want)
			}
		}
		if got := s.ask("FindingsChanges(" + kql.Datetime(s.committedAt(string(first))) + ", now()) | project Row = Reason"); !slices.Equal(got, []string{"device gone"}) {
			s.Errorf("%q", got)
		}
	})
}

// TestEmulatorReasonsAcrossLayouts: rows that are published in two tables have reasons, apart from those that vanish
// in the run that changes the layout.
func TestEmulatorReasonsAcrossLayouts(t *testing.T) {
	onStage(t, func(s stage) {
		raw, other := findings, findings
		raw.Layout, other.Layout = tvmexport.RawOnly, tvmexport.TypedOnly
		s.setUp(raw)
		agent, tool, viewer := finding{name: "agent", version: "1", cve: "CVE-1", group: 3}, finding{name: "tool", version: "1", cve: "CVE-1", group: 3}, finding{name: "viewer", version: "1", group: 3}
		var at []time.Time
		previous := ""
		step := func(table tvmexport.Table, kind tvmexport.RunKind, list ...finding) {
			s.Helper()
			time.Sleep(aDay)
			var rows []string
			for _, f := range list {
				f.seen = 2 * time.Hour
				rows = append(rows, f.document("3f01", s.now()))
			}
			id := fmt.Sprintf("2026010%dT000000Z-%d", len(at)+1, len(at))
			previous = string(s.publishDocuments(runOfTable(table, id, previous, kind), map[tvmexport.Partition][]string{"3": rows}))
			at = append(at, s.committedAt(id))
		}
		patched := agent
		patched.version = "2"
		step(raw, tvmexport.FullRun, agent, tool, viewer)
		step(raw, tvmexport.DeltaRun, patched, tool, viewer)
		s.setUp(other)
		step(other, tvmexport.FullRun, patched, viewer)
		step(other, tvmexport.DeltaRun, patched)
		_, err := s.client.SyncSchema(s.Context(), other)
		s.must(err)
		for _, c := range []struct {
			from, to int
			want     string
		}{{0, 1, "agent fixed"}, {1, 2, "tool unknown"}, {2, 3, "viewer uninstalled"}, {0, 3, "agent fixed, tool unknown, viewer uninstalled"}} {
			got := s.ask(fmt.Sprintf("FindingsChanges(%s, %s) | where Change == 'removed' | project Row = strcat(Name, ' ', Reason) | order by Row asc", kql.Datetime(at[c.from]), kql.Datetime(at[c.to])))
			if d := cmp.Diff(c.want, strings.Join(got, ", ")); d != "" {
				s.Errorf("from run %d to run %d (-want +got):\n%s", c.from, c.to, d)
			}
		}
	})
}

// TestEmulatorReasonsOfHiddenColumns: without a column that a rule needs it gives no reason.
func TestEmulatorReasonsOfHiddenColumns(t *testing.T) {
	onStage(t, func(s stage) {
		table := findings
		s.setUp(table)
		rows := func(list ...finding) (out []string) {
			for _, f := range list {
				f.seen = 2 * time.Hour
				out = append(out, f.document("3f01", s.now()))
			}
			return out
		}
		agent, tool, viewer := finding{name: "agent", version: "1", cve: "CVE-1", group: 3}, finding{name: "tool", version: "1", cve: "CVE-1", group: 3}, finding{name: "viewer", version: "1", group: 3}
		first := s.publishDocuments(runOfTable(table, "20260101T000000Z-1", "", tvmexport.FullRun), map[tvmexport.Partition][]string{"3": rows(agent, tool, viewer)})
		time.Sleep(aDay)
		agent.group, viewer.group = 12, 12
		s.publishDocuments(runOfTable(table, "20260102T000000Z-2", string(first), tvmexport.DeltaRun), map[tvmexport.Partition][]string{"3": rows(agent, viewer)})
		from := kql.Datetime(s.committedAt(string(first)))
		for _, c := range []struct{ hidden, want, doc string }{
			{"", "agent moved, tool uninstalled, viewer moved", ""},
			{"Reason", "agent moved, tool uninstalled, viewer moved", ""},
			{"GroupId", "tool uninstalled", ""},
			{"DiskPaths", "agent moved, tool uninstalled, viewer moved", "more often unknown"},
			{"LastSeen", "agent moved, tool unknown, viewer moved", "not shown: LastSeen"},
			{"Version", "agent unknown, tool unknown, viewer unknown", "not shown: Version"},
			{"DeviceId", "agent unknown, tool unknown, viewer unknown", "not shown: DeviceId"},
		} {
			hiding := table
			hiding.Shown = slices.DeleteFunc(slices.Clone(table.Columns), func(k tvmexport.Column) bool { return k.Name == c.hidden })
			_, err := s.client.SyncSchema(s.Context(), hiding)
			s.must(err)
			got := s.ask("FindingsChanges(" + from + ", now()) | where Change == 'removed' | project Row = strcat(Name, ' ', Reason) | order by Row asc")
			if d := cmp.Diff(c.want, strings.Join(got, ", ")); d != "" {
				s.Errorf("without %q (-want +got):\n%s", c.hidden, d)
			}
			inv, err := s.client.conn.Schema(s.Context(), "test", true)
			s.must(err)
			doc := inv.Functions["FindingsChanges"].Doc
			if !strings.Contains(doc, c.doc) || c.doc == "" && strings.Contains(doc, "not shown") {
				s.Errorf("without %q the function says of itself: %s", c.hidden, doc)
			}
		}
	})
}
