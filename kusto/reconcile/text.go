package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Side is one table of a pair, in the state that readers see since a commit.
type Side struct {
	Table   string
	At      time.Time // of the commit, by the destination's clock
	StateAt time.Time // of the state, by the source's clock; zero: not recorded
}

// Time is that of the state, or of the commit where that of the state is not recorded.
func (s Side) Time() time.Time {
	if s.StateAt.IsZero() {
		return s.At
	}
	return s.StateAt
}

// comparison is what one query compares.
type comparison struct {
	pair    catalog.Pair
	prefix  string // before the names of read functions
	hunting Side
	exports []Side
	earlier []Side // the later side, in the states that it had at the time of the other one; nil: not known
	devices int    // that the answer lists at most
}

// later says whether hunting is the side that was read later.
func later(hunting Side, exports []Side) bool { return hunting.Time().After(oldest(exports)) }

// oldest is the time of the oldest state.
func oldest(sides []Side) time.Time {
	return slices.MinFunc(sides, func(a, b Side) int { return a.Time().Compare(b.Time()) }).Time()
}

// state is the rows that readers saw of a side.
func (c comparison) state(s Side) string {
	return fmt.Sprintf("%s(%s)\n", kql.Ident(c.prefix+s.Table+"AsOf"), kql.Datetime(s.At))
}

// exported is the rows of an export that hunting has too.
func (c comparison) exported(s Side) string {
	text := c.state(s)
	if c.pair.Filled != "" {
		text += fmt.Sprintf("| where isnotempty(tostring(%s))\n", kql.Ident(c.pair.Filled))
	}
	return text
}

// leg is the keys of one side, each as text in lower case: null and "" are the same.
func (c comparison) leg(side, rows, absent string) string {
	b := strings.Builder{}
	fmt.Fprintf(&b, "%s| project Side = %s,\n          NotOnboarded = %s", rows, kql.Literal(side), absent)
	for _, column := range c.pair.Key {
		fmt.Fprintf(&b, ",\n          %s = tolower(tostring(%s))", kql.Ident(column), kql.Ident(column))
	}
	return "(\n" + indented(b.String()+"\n") + ")"
}

// onboarded is false for rows of devices of which the export says that they are not.
func (c comparison) onboarded() string {
	return fmt.Sprintf(`coalesce(tobool(column_ifexists(%s, true)), true)`, kql.Literal(c.pair.Onboarded))
}

// legs are the keys of all sides.
func (c comparison) legs() string {
	out := []string{c.leg("hunting", c.state(c.hunting), "false")}
	absent := "false"
	if c.pair.Onboarded != "" {
		absent = "not(" + c.onboarded() + ")"
	}
	for _, s := range c.exports {
		out = append(out, c.leg("export", c.exported(s), absent))
	}
	for _, s := range c.earlier {
		rows := c.state(s)
		if s.Table != c.hunting.Table {
			rows = c.exported(s)
		}
		out = append(out, c.leg("earlier", rows, "false"))
	}
	return "union " + strings.Join(out, ", ")
}

// changed is true for a key that the later side shows now and did not show at the time of
// the other side, or the reverse.
func (c comparison) changed() string {
	switch {
	case len(c.earlier) == 0:
		return "false"
	case c.earlier[0].Table == c.hunting.Table:
		return "(Hunting > 0) != (Earlier > 0)"
	}
	return "(Export > 0) != (Earlier > 0)"
}

// countsText asks for the rows that only one side has: a row for all devices, and one for
// each of the devices with the most such rows. Rows are distributed by device, so that no
// node of a cluster holds all of them.
func (c comparison) countsText() string {
	keys := make([]string, len(c.pair.Key))
	for i, column := range c.pair.Key {
		keys[i] = kql.Ident(column)
	}
	return fmt.Sprintf(`let Devices = materialize(
    %[1]s
    | summarize hint.shufflekey = DeviceId Hunting = countif(Side == "hunting"), Export = countif(Side == "export"),
        Earlier = countif(Side == "earlier"), Absent = countif(NotOnboarded) by %[2]s
    | extend Changed = %[3]s
    | summarize hint.shufflekey = DeviceId HuntingRows = countif(Hunting > 0), ExportRows = countif(Export > 0),
        OnlyHunting = countif(Hunting > 0 and Export == 0),
        OnlyExport = countif(Export > 0 and Hunting == 0 and Absent == 0),
        NotOnboarded = countif(Export > 0 and Hunting == 0 and Absent > 0),
        ChangedHunting = countif(Hunting > 0 and Export == 0 and Changed),
        ChangedExport = countif(Export > 0 and Hunting == 0 and Absent == 0 and Changed) by DeviceId);
union (
    Devices
    | summarize HuntingRows = sum(HuntingRows), ExportRows = sum(ExportRows), OnlyHunting = sum(OnlyHunting), OnlyExport = sum(OnlyExport),
        NotOnboarded = sum(NotOnboarded), ChangedHunting = sum(ChangedHunting), ChangedExport = sum(ChangedExport),
        HuntingDevices = countif(OnlyHunting > 0), ExportDevices = countif(OnlyExport > 0), NotOnboardedDevices = countif(NotOnboarded > 0),
        DifferentDevices = countif(OnlyHunting + OnlyExport > 0)
    | extend Total = true, DeviceId = ""
), (
    Devices
    | where OnlyHunting + OnlyExport > 0
    | order by OnlyHunting + OnlyExport desc, DeviceId asc
    | take %[4]d
    | extend Total = false, HuntingDevices = long(0), ExportDevices = long(0), NotOnboardedDevices = long(0), DifferentDevices = long(0)
)
| order by Total desc, OnlyHunting + OnlyExport desc, DeviceId asc
| project Total, DeviceId, HuntingRows, ExportRows, OnlyHunting, OnlyExport, NotOnboarded, ChangedHunting, ChangedExport,
    HuntingDevices, ExportDevices, NotOnboardedDevices, DifferentDevices`,
		strings.TrimSuffix(strings.TrimPrefix(indented(c.legs()), "    "), "\n"), strings.Join(keys, ", "), c.changed(), c.devices)
}

// rowsText is a query for people: the rows of a device that only one side has, with all
// their columns.
func (c comparison) rowsText(device string) string {
	keys := make([]string, len(c.pair.Key))
	for i, column := range c.pair.Key {
		keys[i] = "tostring(" + kql.Ident(column) + ")"
	}
	of := fmt.Sprintf("    | where DeviceId =~ Device\n    | extend RowKey = tolower(tostring(pack_array(%s)))", strings.Join(keys, ", "))
	exports := make([]string, len(c.exports))
	for i, s := range c.exports {
		exports[i] = indented(c.exported(s))
	}
	export := strings.TrimSuffix(strings.TrimLeft(exports[0], " "), "\n")
	if len(exports) > 1 {
		export = "union (\n" + strings.Join(exports, "    ), (\n") + "    )"
	}
	onboarded := ""
	if c.pair.Onboarded != "" {
		onboarded = "\n    | where " + c.onboarded()
	}
	return fmt.Sprintf(`let Device = %s;
let Hunting = %s%s;
let Export = %s
%s;
union (
    Hunting
    | join kind=leftanti Export on RowKey
    | extend OnlyIn = "hunting"
), (
    Export
    | join kind=leftanti Hunting on RowKey%s
    | extend OnlyIn = "export"
)
| project-away RowKey
| project-reorder OnlyIn`, kql.Literal(device), c.state(c.hunting), of, export, of, onboarded)
}

// indented is text with each line four blanks to the right.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}
