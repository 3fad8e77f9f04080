package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Columns of the process that caused an event. Tables of events share them, in
// the order of their pages.
var (
	initiatingAccount = []column[happened]{
		{"InitiatingProcessAccountDomain", value.String, perRow, text(func(r *happened) string { return r.account.domain })},
		{"InitiatingProcessAccountName", value.String, perRow, text(func(r *happened) string { return r.account.name })},
		{"InitiatingProcessAccountSid", value.String, perRow, text(func(r *happened) string { return r.account.sid })},
		{"InitiatingProcessAccountUpn", value.String, perRow, text(func(r *happened) string { return r.account.upn })},
		{"InitiatingProcessAccountObjectId", value.String, perRow, text(func(r *happened) string { return r.account.objectID })},
	}
	initiatingImage = []column[happened]{
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
	}
	initiatingSession = []column[happened]{
		{"InitiatingProcessSessionId", value.Long, perRow, counter(21, 8)},
		{"IsInitiatingProcessRemoteSession", value.Bool, perRow, flag(22)},
		{"InitiatingProcessRemoteSessionDeviceName", value.String, perRow, remote(22, "büro-jump-01")},
		{"InitiatingProcessRemoteSessionIP", value.String, perRow, remote(22, "10.20.30.40")},
	}
)
