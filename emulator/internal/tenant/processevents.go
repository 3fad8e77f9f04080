package tenant

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceprocessevents-table
var processEvents = table[happened]{
	name:   "DeviceProcessEvents",
	rows:   func(s *scan[happened]) { eventRows(s, eventPlan{ofProcessEvents, 22, 31, 3}) },
	hidden: ingestionTime,
	columns: slices.Concat([]column[happened]{
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
	}, initiatingAccount, []column[happened]{
		{"InitiatingProcessLogonId", value.Long, perRow, counter(12, 1<<40)},
		{"InitiatingProcessIntegrityLevel", value.String, perRow, choice(13, "Medium", "System", "High", "")},
		{"InitiatingProcessTokenElevation", value.String, perRow, choice(14, "TokenElevationTypeDefault", "TokenElevationTypeFull", "None")},
	}, initiatingImage, []column[happened]{
		{"InitiatingProcessParentId", value.Long, perRow, counter(17, 65536)},
		{"InitiatingProcessParentFileName", value.String, perRow, text(func(r *happened) string { return r.parent.file })},
		{"InitiatingProcessParentCreationTime", value.DateTime, perRow, earlier(18)},
		{"InitiatingProcessSignerType", value.String, perRow, choice(19, "OsVendor", "Trusted", "Unknown", "")},
		{"InitiatingProcessSignatureStatus", value.String, perRow, choice(20, "Valid", "Valid", "Invalid", "Unknown")},
		{"ReportId", value.Long, perRow, (*happened).report},
		{"AppGuardContainerId", value.String, perRow, nothing},
		{"AdditionalFields", value.String, perRow, additional},
	}, initiatingSession, []column[happened]{
		{"CreatedProcessSessionId", value.Long, perRow, counter(23, 8)},
		{"IsProcessRemoteSession", value.Bool, perRow, flag(24)},
		{"ProcessRemoteSessionDeviceName", value.String, perRow, remote(24, "büro-jump-01")},
		{"ProcessRemoteSessionIP", value.String, perRow, remote(24, "fe80::1")},
		{"ProcessUniqueId", value.String, perRow, unique(25)},
		{"InitiatingProcessUniqueId", value.String, perRow, unique(26)},
		{"LogonID", value.Long, perRow, counter(27, 1<<40)},
	}),
}
