package tenant

import (
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/kql/value"
)

// text is a fill function of a string column.
func text[R any](get func(*R) string) func(*R) value.Value {
	return func(r *R) value.Value { return value.NewString(get(r)) }
}

// constant is a fill function that always gives v.
func constant[R any](v value.Value) func(*R) value.Value {
	return func(*R) value.Value { return v }
}

// choice is a fill function of a string column that has one of list, chosen
// by the event; salt keeps columns apart.
func choice(salt int, list ...string) func(*happened) value.Value {
	values := make([]value.Value, len(list))
	for i, s := range list {
		values[i] = value.NewString(s)
	}
	return func(r *happened) value.Value { return pick(r.dice.at(ofText, salt, 1), values) }
}

// counter is a fill function of a long column below limit; one time in
// fifty it is null.
func counter(salt, limit int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		d := r.dice.at(ofText, salt, 2)
		if d.permille(20) {
			return value.Null(value.Long)
		}
		return value.NewLong(int64(d.at(ofText, 0, 0).n(limit)))
	}
}

// earlier is a fill function of a datetime column: a moment before the event.
func earlier(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		d := r.dice.at(ofTime, salt, 3)
		if d.permille(30) {
			return value.Null(value.DateTime)
		}
		return value.DateTimeFromTicks(roundTime(d, r.ticks-int64(d.n(int(10*value.TicksPerHour)))))
	}
}

// flag is a fill function of a bool column that is seldom true, and null at
// times.
func flag(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		switch n := r.dice.at(ofText, salt, 4).n(50); {
		case n == 0:
			return value.Null(value.Bool)
		default:
			return value.NewBool(n < 4)
		}
	}
}

// remote is a fill function of a string column about a remote session, which
// hardly any event has.
func remote(salt int, s string) func(*happened) value.Value {
	return func(r *happened) value.Value {
		if r.dice.at(ofText, salt, 5).permille(40) {
			return value.NewString(s)
		}
		return value.NewString("")
	}
}

// unique is a fill function for the ids of processes as text.
func unique(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		return value.NewString(strconv.FormatUint(uint64(r.device.dice.at(ofText, salt, int(r.dice.n(1<<20))))>>8, 10))
	}
}

var extraFields = []value.Value{
	value.NewString(""), value.NewString(""), value.NewString("{}"), value.NewString(`{"InitiatingProcessCommandLine":"a \"b\"","Count":9007199254740993}`),
	value.NewString(`{"Tags":["α","β"],"When":"2024-05-06T07:08:09.1234567Z"}`), value.NewString(`not {json`),
}

func additional(r *happened) value.Value { return pick(r.dice.at(ofText, 6, 6), extraFields) }

// https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceprocessevents-table
var processEvents = table[happened]{
	name:   "DeviceProcessEvents",
	rows:   func(s *scan[happened]) { eventRows(s, eventPlan{ofProcessEvents, 22, 31, 3}) },
	hidden: ingestionTime,
	columns: []column[happened]{
		{"Timestamp", value.DateTime, perRow, func(r *happened) value.Value { return value.DateTimeFromTicks(r.ticks) }},
		{"DeviceId", value.String, perDevice, text(func(r *happened) string { return r.device.id })},
		{"DeviceName", value.String, perDevice, text(func(r *happened) string { return r.device.name })},
		{"ActionType", value.String, perRow, choice(7, "ProcessCreated", "ProcessCreated", "ProcessCreated", "OpenProcess")},
		{"FileName", value.String, perRow, text(func(r *happened) string { return r.child.file })},
		{"FolderPath", value.String, perRow, text(func(r *happened) string { return r.child.folder })},
		{"SHA1", value.String, perRow, text(func(r *happened) string { return r.child.sha1 })},
		{"SHA256", value.String, perRow, text(func(r *happened) string { return r.child.sha256 })},
		{"MD5", value.String, perRow, text(func(r *happened) string { return r.child.md5 })},
		{"FileSize", value.Long, perRow, func(r *happened) value.Value { return value.NewLong(r.child.size) }},
		{"ProcessVersionInfoCompanyName", value.String, perRow, text(func(r *happened) string { return r.child.company })},
		{"ProcessVersionInfoProductName", value.String, perRow, text(func(r *happened) string { return r.child.product })},
		{"ProcessVersionInfoProductVersion", value.String, perRow, text(func(r *happened) string { return r.child.version })},
		{"ProcessVersionInfoInternalFileName", value.String, perRow, text(func(r *happened) string { return r.child.file })},
		{"ProcessVersionInfoOriginalFileName", value.String, perRow, text(func(r *happened) string { return r.child.file })},
		{"ProcessVersionInfoFileDescription", value.String, perRow, text(func(r *happened) string { return r.child.about })},
		{"ProcessId", value.Long, perRow, counter(8, 65536)},
		{"ProcessCommandLine", value.String, perRow, text(func(r *happened) string { return r.child.command })},
		{"ProcessIntegrityLevel", value.String, perRow, choice(9, "Medium", "System", "High", "Low", "")},
		{"ProcessTokenElevation", value.String, perRow, choice(10, "TokenElevationTypeDefault", "TokenElevationTypeFull", "TokenElevationTypeLimited", "None")},
		{"ProcessCreationTime", value.DateTime, perRow, func(r *happened) value.Value { return value.DateTimeFromTicks(r.ticks - int64(r.dice.n(1_000_000))) }},
		{"AccountDomain", value.String, perRow, text(func(r *happened) string { return r.account.domain })},
		{"AccountName", value.String, perRow, text(func(r *happened) string { return r.account.name })},
		{"AccountSid", value.String, perRow, text(func(r *happened) string { return r.account.sid })},
		{"AccountUpn", value.String, perRow, text(func(r *happened) string { return r.account.upn })},
		{"AccountObjectId", value.String, perRow, text(func(r *happened) string { return r.account.objectID })},
		{"LogonId", value.Long, perRow, counter(11, 1<<40)},
		{"InitiatingProcessAccountDomain", value.String, perRow, text(func(r *happened) string { return r.account.domain })},
		{"InitiatingProcessAccountName", value.String, perRow, text(func(r *happened) string { return r.account.name })},
		{"InitiatingProcessAccountSid", value.String, perRow, text(func(r *happened) string { return r.account.sid })},
		{"InitiatingProcessAccountUpn", value.String, perRow, text(func(r *happened) string { return r.account.upn })},
		{"InitiatingProcessAccountObjectId", value.String, perRow, text(func(r *happened) string { return r.account.objectID })},
		{"InitiatingProcessLogonId", value.Long, perRow, counter(12, 1<<40)},
		{"InitiatingProcessIntegrityLevel", value.String, perRow, choice(13, "Medium", "System", "High", "")},
		{"InitiatingProcessTokenElevation", value.String, perRow, choice(14, "TokenElevationTypeDefault", "TokenElevationTypeFull", "None")},
		{"InitiatingProcessSHA1", value.String, perRow, text(func(r *happened) string { return r.image.sha1 })},
		{"InitiatingProcessSHA256", value.String, perRow, text(func(r *happened) string { return r.image.sha256 })},
		{"InitiatingProcessMD5", value.String, perRow, text(func(r *happened) string { return r.image.md5 })},
		{"InitiatingProcessFileName", value.String, perRow, text(func(r *happened) string { return r.image.file })},
		{"InitiatingProcessFileSize", value.Long, perRow, func(r *happened) value.Value { return value.NewLong(r.image.size) }},
		{"InitiatingProcessVersionInfoCompanyName", value.String, perRow, text(func(r *happened) string { return r.image.company })},
		{"InitiatingProcessVersionInfoProductName", value.String, perRow, text(func(r *happened) string { return r.image.product })},
		{"InitiatingProcessVersionInfoProductVersion", value.String, perRow, text(func(r *happened) string { return r.image.version })},
		{"InitiatingProcessVersionInfoInternalFileName", value.String, perRow, text(func(r *happened) string { return r.image.file })},
		{"InitiatingProcessVersionInfoOriginalFileName", value.String, perRow, text(func(r *happened) string { return r.image.file })},
		{"InitiatingProcessVersionInfoFileDescription", value.String, perRow, text(func(r *happened) string { return r.image.about })},
		{"InitiatingProcessId", value.Long, perRow, counter(15, 65536)},
		{"InitiatingProcessCommandLine", value.String, perRow, text(func(r *happened) string { return r.image.command })},
		{"InitiatingProcessCreationTime", value.DateTime, perRow, earlier(16)},
		{"InitiatingProcessFolderPath", value.String, perRow, text(func(r *happened) string { return r.image.folder })},
		{"InitiatingProcessParentId", value.Long, perRow, counter(17, 65536)},
		{"InitiatingProcessParentFileName", value.String, perRow, text(func(r *happened) string { return r.parent.file })},
		{"InitiatingProcessParentCreationTime", value.DateTime, perRow, earlier(18)},
		{"InitiatingProcessSignerType", value.String, perRow, choice(19, "OsVendor", "Trusted", "Unknown", "")},
		{"InitiatingProcessSignatureStatus", value.String, perRow, choice(20, "Valid", "Valid", "Invalid", "Unknown")},
		{"ReportId", value.Long, perRow, (*happened).report},
		{"AppGuardContainerId", value.String, perRow, constant[happened](value.NewString(""))},
		{"AdditionalFields", value.String, perRow, additional},
		{"InitiatingProcessSessionId", value.Long, perRow, counter(21, 8)},
		{"IsInitiatingProcessRemoteSession", value.Bool, perRow, flag(22)},
		{"InitiatingProcessRemoteSessionDeviceName", value.String, perRow, remote(22, "büro-jump-01")},
		{"InitiatingProcessRemoteSessionIP", value.String, perRow, remote(22, "10.20.30.40")},
		{"CreatedProcessSessionId", value.Long, perRow, counter(23, 8)},
		{"IsProcessRemoteSession", value.Bool, perRow, flag(24)},
		{"ProcessRemoteSessionDeviceName", value.String, perRow, remote(24, "büro-jump-01")},
		{"ProcessRemoteSessionIP", value.String, perRow, remote(24, "fe80::1")},
		{"ProcessUniqueId", value.String, perRow, unique(25)},
		{"InitiatingProcessUniqueId", value.String, perRow, unique(26)},
		{"LogonID", value.Long, perRow, counter(27, 1<<40)},
	},
}
