package views

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// reasonColumn is the column of Changes that says why a row vanished.
const reasonColumn = "Reason"

// reasonNames are names that the text of Changes uses for reasons.
var reasonNames = []string{reasonColumn, "GoneIn", "GoneAt", "Cause"}

// The reasons why a row vanished, in the order in which they are looked for.
const (
	becameMoved       = "moved"       // the device is in another group, and has the row there
	becameGone        = "device gone" // the device has no rows, and had reported recently
	becameExpired     = "expired"     // the row, or its device, was not reported for too long
	becameExposed     = "exposed"     // a row without a finding: the version has findings now
	becameFixed       = "fixed"       // the device reports, and has the version, or another one instead
	becameUninstalled = "uninstalled" // the device reports, and has neither
	becameUnknown     = "unknown"
)

// Tolerances of the rules.
const (
	snapshotAge = "6h" // the source makes a snapshot this often, so a row can vanish before a limit by the clock of runs
	unreported  = "2d" // a row that was so much older than others of its device was not seen when the device was
)

// untraced are the columns that reasons need and readers do not see now. Without one of the
// needed columns no reason is known; without one of the useful columns some are not.
func untraced(t tvmexport.Table, key []tvmexport.Column) (needed, useful []string) {
	missing := func(name, kind string) bool {
		return !slices.ContainsFunc(t.Visible(), func(c tvmexport.Column) bool { return c.Name == name && c.Type == kind })
	}
	for _, name := range slices.Concat([]string{t.Trace.Device}, t.Trace.Software, []string{t.Trace.Version, t.Trace.Finding}) {
		if missing(name, "string") {
			needed = append(needed, name)
		}
	}
	if len(key) == 0 && len(needed) == 0 {
		needed = t.NaturalKey
	}
	if missing(t.Trace.LastSeen, "datetime") {
		useful = append(useful, t.Trace.LastSeen)
	}
	for _, name := range t.Trace.Paths {
		if missing(name, "dynamic") {
			useful = append(useful, name)
		}
	}
	return needed, useful
}

// reasonDoc says in the docstring what the column Reason shows.
func reasonDoc(t tvmexport.Table, key []tvmexport.Column) string {
	if t.Trace.IsZero() {
		return ""
	}
	doc := "; " + reasonColumn + " says why a row was removed: " +
		strings.Join([]string{becameMoved, becameGone, becameExpired, becameExposed, becameFixed, becameUninstalled}, ", ") + " or " + becameUnknown
	needed, useful := untraced(t, key)
	if len(needed) > 0 {
		return doc + "; here always " + becameUnknown + ", because these columns are not shown: " + strings.Join(needed, ", ")
	}
	if len(useful) > 0 {
		doc += "; more often " + becameUnknown + " than with the columns that are not shown: " + strings.Join(useful, ", ")
	}
	return doc
}

// evidence is the expressions by which rows are compared.
type evidence struct {
	device, finding, software, version, found string
}

// evidence returns the expressions over columns as form names them.
func (r reasons) evidence(form func(string) string) evidence {
	t := r.table.Trace
	part := func(names ...string) string {
		var columns []tvmexport.Column
		for _, name := range names {
			columns = append(columns, tvmexport.Column{Name: name, Type: "string"})
		}
		return fingerprint.Row(columns, form)
	}
	ungrouped := slices.DeleteFunc(slices.Clone(r.key), func(c tvmexport.Column) bool { return c.Name == t.Group })
	return evidence{
		device: form(t.Device), finding: fingerprint.Row(ungrouped, form), software: part(t.Software...),
		version: part(append(slices.Clone(t.Software), t.Version)...), found: "isnotempty(" + form(t.Finding) + ")",
	}
}

// reasons make the text by which Changes finds why rows vanished.
type reasons struct {
	table  tvmexport.Table
	source Source
	key    []tvmexport.Column
	called func(string) string // the name of a column in Changes
	stored func(string) string // the expression for a column of published rows
}

// lets define Reasons: by KeyHash of a row that is there as of from and not as of to, the run in
// which it vanished, and why. They follow the definitions of differences.
//
// Evidence is what that run recorded. A run that replaces a partition lands all of its rows, and
// all rows of a device are in one partition; so its rows of the device are all that the device
// had then; and those of the run that landed the row last are all that it had before. What is
// evident as of a later time would be another story.
func (r reasons) lets() string {
	were, stored := r.evidence(r.called), r.evidence(r.stored)
	t := r.table.Trace
	_, useful := untraced(r.table, r.key)
	lastSeen := "datetime(null)"
	if !slices.Contains(useful, t.LastSeen) {
		lastSeen = r.stored(t.LastSeen)
	}
	return fmt.Sprintf(`let Lost = Changed
    | where Were > Are and KeyRows == 0
    | project KeyHash, OnDevice = %[1]s, Finding = %[2]s, Software = %[3]s, Version = %[4]s, Found = %[5]s;
let Present = materialize(
%[6]s    | extend OnDevice = %[7]s
    | where OnDevice in (Lost | project OnDevice)
    | extend KeyHash = %[8]s
    | where KeyHash in (Lost | project KeyHash)
    | project KeyHash, RunId, Partition, LastSeen = %[9]s, OfUser = %[10]s
    | join kind=inner Steps on RunId
    | summarize arg_max(At, RunId, Partition, Epoch, Definition, LastSeen, OfUser) by KeyHash
    | project-rename LandedAt = At, LandedIn = RunId);
let Vanished = materialize(union (
    Present
    | join kind=inner Recorded on Partition, Epoch
    | where At > LandedAt
    | project KeyHash, RunId, GoneAt = At, Redefined = false
), (
    Present
    | extend One = 1
    | join kind=inner (Steps | where Kind == %[11]s | project RunId, At, Definition, One = 1) on One
    | where At > LandedAt
    | project KeyHash, RunId, GoneAt = At, Redefined = Definition != Definition1
)
    | summarize arg_min(GoneAt, RunId, Redefined) by KeyHash
    | join kind=inner Present on KeyHash
    | join kind=inner Lost on KeyHash
    | project KeyHash, RunId, GoneAt, Redefined, OnDevice, Finding, Software, Version, Found, LastSeen, OfUser, LandedIn);
let Devices = materialize(union (Vanished | project RunId, OnDevice), (Vanished | project RunId = LandedIn, OnDevice)
    | distinct RunId, OnDevice);
let Rows = materialize(
%[12]s    | extend OnDevice = %[7]s
    | where OnDevice in (Devices | project OnDevice)
    | project RunId, OnDevice, Finding = %[13]s, Software = %[14]s, Version = %[15]s, Found = %[16]s, LastSeen = %[9]s
    | join kind=leftsemi Devices on RunId, OnDevice
    | join kind=leftouter (Lost | distinct Finding) on Finding
    | summarize LastSeen = max(LastSeen), Findings = countif(Found) by RunId, OnDevice, Software, Version, Finding = Finding1);
let Replaced = Vanished
    | distinct RunId, LandedIn, OnDevice, Software
    | join kind=inner (Rows | distinct RunId, OnDevice, Software, Version) on RunId, OnDevice, Software
    | join kind=leftanti (Rows | project LandedIn = RunId, OnDevice, Version) on LandedIn, OnDevice, Version
    | distinct RunId, LandedIn, OnDevice, Software
    | extend Replaced = 1;
let Reasons = Vanished
    | join kind=leftouter (Rows | summarize Newest = max(LastSeen), Left = count() by RunId, OnDevice) on RunId, OnDevice
    | join kind=leftouter (Rows | summarize NewestBefore = max(LastSeen) by LandedIn = RunId, OnDevice) on LandedIn, OnDevice
    | join kind=leftouter (Rows | where isnotempty(Finding) | distinct RunId, Finding | extend Elsewhere = 1) on RunId, Finding
    | join kind=leftouter Replaced on RunId, LandedIn, OnDevice, Software
    | join kind=leftouter (Rows | summarize Exposed = sum(Findings) by RunId, OnDevice, Version) on RunId, OnDevice, Version
    | extend Silent = GoneAt - LastSeen + %[17]s
    | project KeyHash, GoneIn = RunId, GoneAt, Cause = case(
        isempty(OnDevice) or Redefined, %[18]s,
        isnotnull(Elsewhere), %[19]s,
        isnull(Left) and isnull(LastSeen), %[18]s,
        isnull(Left) and Silent >= iff(OfUser, %[20]dd, %[21]dd), %[22]s,
        isnull(Left)%[23]s, %[24]s,
        isnull(Left), %[18]s,
        not(Found) and Exposed > 0, %[25]s,
        isnull(Newest), %[18]s,
        GoneAt - Newest + %[17]s >= %[20]dd, %[22]s,
        Silent >= iff(OfUser, %[20]dd, %[21]dd) and NewestBefore - LastSeen >= %[26]s, %[22]s,
        isnotnull(Replaced) or isnotnull(Exposed), %[27]s,
        %[28]s);
`, were.device, were.finding, were.software, were.version, were.found,
		indented(r.source.of(r.table, "Steps", toParameter)+r.source.Records()), stored.device, fingerprint.Row(r.key, r.stored), lastSeen, r.ofUser(useful),
		kql.Literal(string(tvmexport.FullRun)), indented(r.source.of(r.table, "Devices", toParameter)+r.source.Records()),
		stored.finding, stored.software, stored.version, stored.found,
		snapshotAge, kql.Literal(becameUnknown), kql.Literal(becameMoved), t.UserDays, t.DeviceDays, kql.Literal(becameExpired),
		r.unlessShort(useful), kql.Literal(becameGone), kql.Literal(becameExposed), unreported, kql.Literal(becameFixed), kql.Literal(becameUninstalled))
}

// userPath finds paths of the profile of a user, in the text of an array.
const userPath = `(?i)[\\/]users[\\/]|hkey_users`

// ofUser says whether all places of a published row belong to a user; none do where
// it cannot be known.
func (r reasons) ofUser(useful []string) string {
	if r.pathless(useful) {
		return "false"
	}
	var all, of []string
	for _, name := range r.table.Trace.Paths {
		path := r.stored(name)
		all = append(all, "coalesce(array_length("+path+"), 0)")
		of = append(of, "countof(tostring("+path+"), "+kql.Literal(userPath)+`, "regex")`)
	}
	count := strings.Join(all, " + ")
	return count + " > 0 and " + strings.Join(of, " + ") + " >= " + count
}

// unlessShort is a further condition for a device to be gone: if paths are not shown, a device
// that was silent for days may have had rows of a user alone.
func (r reasons) unlessShort(useful []string) string {
	if !r.pathless(useful) {
		return ""
	}
	return fmt.Sprintf(" and Silent < %dd", r.table.Trace.UserDays)
}

func (r reasons) pathless(useful []string) bool {
	return len(r.table.Trace.Paths) == 0 || slices.ContainsFunc(r.table.Trace.Paths, func(name string) bool { return slices.Contains(useful, name) })
}
