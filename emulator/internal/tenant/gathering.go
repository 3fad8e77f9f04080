package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// gathered is a row of DeviceTvmInfoGathering.
type gathered struct {
	device *device
	dice   dice // of what its newest revision found
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvminfogathering-table
var gathering = table[gathered]{
	name: "DeviceTvmInfoGathering",
	rows: func(s *scan[gathered]) {
		r := &s.record
		generated := s.where.span("Timestamp")
		s.devices(func(d *device) bool {
			if d.platform.family == mobile || !generated.holds(d.seen().ticks) {
				return true
			}
			r.device, r.dice = d, d.dice.at(ofGathering, 0, len(d.revisions))
			return s.emit()
		})
	},
	columns: []column[gathered]{
		{"Timestamp", value.DateTime, perRow, func(r *gathered) value.Value { return value.DateTimeFromTicks(r.device.seen().ticks) }},
		{"LastSeenTime", value.DateTime, perRow, func(r *gathered) value.Value {
			if r.dice.permille(50) {
				return value.Null(value.DateTime)
			}
			return value.DateTimeFromTicks(r.device.seen().ticks - int64(r.dice.n(int(3*value.TicksPerHour))))
		}},
		{"DeviceId", value.String, perRow, func(r *gathered) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perRow, func(r *gathered) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perRow, func(r *gathered) value.Value { return value.NewString(r.device.platform.name) }},
		{"AdditionalFields", value.Dynamic, perRow, (*gathered).fields},
	},
}

func (r *gathered) fields() value.Value {
	d := r.dice.at(ofText, 0, 0)
	switch d.n(40) {
	case 0:
		return value.Null(value.Dynamic)
	case 1:
		return emptyBag
	}
	seen := r.device.seen().ticks
	slots := []any{
		"AvEngineVersion", fmt.Sprintf("1.1.24%03d.%d", d.n(1000), d.at(ofText, 1, 0).n(9)),
		"AvEngineUpdateTime", dateText(seen - seen%value.TicksPerSecond),
		"AvSignatureUpdateTime", dateText(seen - int64(d.n(1<<40))),
		"AvIsSignatureUptoDate", d.at(ofText, 2, 0).permille(900),
		"AvMode", fmt.Sprint(d.at(ofText, 3, 0).n(5)),
		"CloudProtectionState", d.at(ofText, 4, 0).permille(800),
		"EbpfStatus", nil,
		"IsWindowsLtscVersionRunning", nil,
		"LastUptime", int64(beyondDouble) + int64(d.n(1<<40)),
		"DefenderQuota", float64(d.n(1000)) / 8,
		"TLS", bag("Client", bag("1.0", nil, "1.2", true), "Server", emptyBag, "Order", emptyArray),
	}
	if d.permille(200) {
		slots = append(slots, "SpringCoreVersions", value.NewArray([]value.Value{
			bag("path", `C:\app\lib\spring-core-5.3.17.jar`, "version", "5.3.17", "found", dateText(seen)),
			bag("path", "", "version", nil),
		}))
	}
	if d.permille(30) {
		slots = append(slots, "Raw", `{"nested":"{\"twice\":true}"}`, "Größe", 12, "", "an empty key", "a.b", "a dot in the key")
	}
	return bag(slots...)
}

// fact is a row of DeviceTvmInfoGatheringKB.
type fact struct{ id, field, description, categories, structure string }

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvminfogatheringkb-table
var gatheringKB = table[fact]{
	name: "DeviceTvmInfoGatheringKB",
	rows: func(s *scan[fact]) {
		for _, s.record = range facts {
			if !s.emit() {
				return
			}
		}
	},
	columns: []column[fact]{
		{"IgId", value.String, perRow, func(r *fact) value.Value { return value.NewString(r.id) }},
		{"FieldName", value.String, perRow, func(r *fact) value.Value { return value.NewString(r.field) }},
		{"Description", value.String, perRow, func(r *fact) value.Value { return value.NewString(r.description) }},
		{"Categories", value.Dynamic, perRow, func(r *fact) value.Value { return value.DynamicJSON(r.categories) }},
		{"DataStructure", value.String, perRow, func(r *fact) value.Value { return value.NewString(r.structure) }},
	},
}

var facts = []fact{
	{"ig-1", "AvEngineVersion", "Version of the antivirus engine", `["Antivirus"]`, "string"},
	{"ig-2", "AvEngineUpdateTime", "When the engine was updated", `["Antivirus"]`, "datetime"},
	{"ig-3", "AvSignatureUpdateTime", "When the signatures were updated", `["Antivirus","Signatures"]`, "datetime"},
	{"ig-4", "AvIsSignatureUptoDate", "Whether the signatures are new enough", `["Antivirus"]`, "bool"},
	{"ig-5", "AvMode", "0: active … 4: EDR in block mode", `["Antivirus"]`, "int"},
	{"ig-6", "CloudProtectionState", "Whether cloud protection is on", `["Antivirus","Nuage – «état»"]`, "bool"},
	{"ig-7", "EbpfStatus", "", `[]`, "string"},
	{"ig-8", "IsWindowsLtscVersionRunning", "Long-term servicing", `null`, "bool"},
	{"ig-9", "LastUptime", "Ticks since the device started", `{}`, "long"},
	{"ig-10", "DefenderQuota", "Share of the quota that is used", `["Disk"]`, "double"},
	{"ig-11", "TLS", "Protocols by role", `["Network"]`, "{\"Client\":{},\"Server\":{},\"Order\":[]}"},
	{"ig-12", "SpringCoreVersions", "Where Spring Core was found", `["CVE-2022-22965"]`, "array"},
	{"ig-13", "Raw", "Text that holds JSON", `["Other",""]`, ""},
}
