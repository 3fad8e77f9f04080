package tenant

import (
	"slices"
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// address is an IPv4 address, in one event out of nine an IPv6 one.
func address(d dice, public bool) string {
	if d.n(9) == 0 {
		return "fe80::" + d.hex(4) + ":" + d.at(ofText, 0, 0).hex(4)
	}
	b := make([]byte, 0, 15)
	if public {
		b = strconv.AppendInt(b, int64(20+d.n(180)), 10)
	} else {
		b = append(b, "10"...)
	}
	for i := range 3 {
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(d.at(ofText, i, 1).n(255)), 10)
	}
	return string(b)
}

// port is a fill function of an int column; one time in thirty it is null.
func port(salt int, list ...int32) func(*happened) value.Value {
	return func(r *happened) value.Value {
		d := r.dice.at(ofText, salt, 7)
		switch {
		case d.permille(33):
			return value.Null(value.Int)
		case len(list) == 0:
			return value.NewInt(int32(1024 + d.at(ofText, 0, 0).n(64512)))
		default:
			return value.NewInt(pick(d.at(ofText, 0, 0), list))
		}
	}
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicenetworkevents-table
var networkEvents = table[happened]{
	name:   "DeviceNetworkEvents",
	rows:   func(s *scan[happened]) { eventRows(s, eventPlan{ofNetworkEvents, 14, 19, 3}) },
	hidden: ingestionTime,
	columns: slices.Concat([]column[happened]{
		{"Timestamp", value.DateTime, perRow, func(r *happened) value.Value { return value.DateTimeFromTicks(r.ticks) }},
		{"DeviceId", value.String, perDevice, text(func(r *happened) string { return r.device.id })},
		{"DeviceName", value.String, perDevice, text(func(r *happened) string { return r.device.name })},
		{"ActionType", value.String, perRow, choice(28, "ConnectionSuccess", "ConnectionSuccess", "ConnectionFailed", "ListeningConnectionCreated", "DnsConnectionInspected")},
		{"RemoteIP", value.String, perRow, text(func(r *happened) string { return address(r.dice.at(ofText, 29, 0), true) })},
		{"RemotePort", value.Int, perRow, port(30, 443, 443, 443, 80, 53, 445, 3389)},
		{"RemoteUrl", value.String, perRow, choice(31, "", "login.contoso.example", "https://例え.example/パス?q=%20", "update.fabrikam.example", "cdn.contoso.example/a b")},
		{"LocalIP", value.String, perRow, text(func(r *happened) string { return address(r.device.dice.at(ofText, 32, 0), false) })},
		{"LocalPort", value.Int, perRow, port(33)},
		{"Protocol", value.String, perRow, choice(34, "Tcp", "Tcp", "Udp", "Icmp")},
		{"LocalIPType", value.String, perRow, choice(35, "Private", "Private", "FourToSixMapping", "")},
		{"RemoteIPType", value.String, perRow, choice(36, "Public", "Public", "Private", "Loopback")},
	}, initiatingImage, []column[happened]{
		{"InitiatingProcessParentFileName", value.String, perRow, text(func(r *happened) string { return r.parent.file })},
		{"InitiatingProcessParentId", value.Long, perRow, counter(17, 65536)},
		{"InitiatingProcessParentCreationTime", value.DateTime, perRow, earlier(18)},
	}, initiatingAccount, []column[happened]{
		{"InitiatingProcessIntegrityLevel", value.String, perRow, choice(13, "Medium", "System", "High", "")},
		{"InitiatingProcessTokenElevation", value.String, perRow, choice(14, "TokenElevationTypeDefault", "TokenElevationTypeFull", "None")},
		{"ReportId", value.Long, perRow, (*happened).report},
		{"AppGuardContainerId", value.String, perRow, nothing},
		{"AdditionalFields", value.String, perRow, additional},
	}, initiatingSession, []column[happened]{
		{"InitiatingProcessUniqueId", value.String, perRow, unique(26)},
		{"LogonID", value.Long, perRow, counter(27, 1<<40)},
	}),
}
