package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// installed is a row of DeviceTvmSoftwareInventory or
// DeviceTvmSoftwareEvidenceBeta: a version of a program on a device.
type installed struct {
	state   *state
	device  *device
	system  string // version of the operating system
	install install
	place   dice // of the program on the device
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsoftwareinventory-table
var inventory = table[installed]{
	name: "DeviceTvmSoftwareInventory",
	rows: func(s *scan[installed]) { installedRows(s, 1000) },
	columns: []column[installed]{
		{"DeviceId", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.device.platform.name) }},
		{"OSVersion", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.system) }},
		{"OSArchitecture", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.device.arch) }},
		{"SoftwareVendor", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.program.vendor) }},
		{"SoftwareName", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.program.name) }},
		{"SoftwareVersion", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.version()) }},
		{"EndOfSupportStatus", value.String, perRow, func(r *installed) value.Value { s, _ := r.support(); return value.NewString(s) }},
		{"EndOfSupportDate", value.DateTime, perRow, func(r *installed) value.Value { _, d := r.support(); return d }},
		{"ProductCodeCpe", value.String, perRow, func(r *installed) value.Value {
			return value.NewString(r.install.program.codes[r.install.release])
		}},
	},
}

// support is the stage of a version's life, and when support ends or ended.
func (r *installed) support() (string, value.Value) {
	p := r.install.program
	t := &r.state.tracks[p.track]
	first := r.state.started - r.state.started%value.TicksPerDay
	date := func(day int) value.Value {
		return value.DateTimeFromTicks(first + int64(day)*value.TicksPerDay)
	}
	d := p.dice.at(ofText, r.install.release, 0)
	switch behind := t.newest(int(r.device.seen().day)) - r.install.release; {
	case t.plan.ended && d.permille(250):
		return "EOS Software", value.Null(value.DateTime)
	case t.plan.ended:
		return "EOS Software", date(t.released(t.plan.history - 1))
	case behind > 6:
		return "EOS Version", date(t.released(r.install.release) + 5*t.plan.interval)
	case behind > 4 && d.permille(400):
		return "Upcoming EOS Version", date(t.released(r.install.release) + 8*t.plan.interval)
	default:
		return "", value.Null(value.DateTime)
	}
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsoftwareevidencebeta-table
var evidence = table[installed]{
	name: "DeviceTvmSoftwareEvidenceBeta",
	rows: func(s *scan[installed]) { installedRows(s, 850) },
	columns: []column[installed]{
		{"DeviceId", value.String, perDevice, func(r *installed) value.Value { return value.NewString(r.device.id) }},
		{"SoftwareVendor", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.program.vendor) }},
		{"SoftwareName", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.program.name) }},
		{"SoftwareVersion", value.String, perRow, func(r *installed) value.Value { return value.NewString(r.install.version()) }},
		{"RegistryPaths", value.Dynamic, perRow, (*installed).registryPaths},
		{"DiskPaths", value.Dynamic, perRow, (*installed).diskPaths},
		{"LastSeenTime", value.String, perDevice, func(r *installed) value.Value {
			if r.device.dice.at(ofEvidence, 0, 0).permille(30) {
				return value.NewString("")
			}
			return value.NewString(value.DateTimeFromTicks(r.state.lastSeen(r.device)).Time().Format("2006-01-02 15:04:05"))
		}},
	},
}

func (r *installed) registryPaths() value.Value {
	switch {
	case r.device.platform.family != windows:
		return emptyArray
	case r.place.permille(20):
		return value.Null(value.Dynamic)
	case r.place.permille(300):
		return emptyArray
	}
	const key = `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\`
	paths := []string{key + "{" + r.install.program.dice.guid() + "}"}
	if r.place.permille(450) {
		paths = append(paths, `HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\`+r.install.program.vendor+`\`+r.install.program.name)
	}
	return r.paths(paths, r.userKey())
}

func (r *installed) diskPaths() value.Value {
	p := r.install.program
	switch d := r.place.at(ofText, 0, 0); {
	case d.permille(15):
		return value.Null(value.Dynamic)
	case d.permille(100):
		return emptyArray
	case r.device.platform.family == windows:
		return r.paths([]string{`c:\program files\` + p.vendor + `\` + p.name + `\` + p.name + `.exe`}, r.userPath())
	case r.device.platform.family == macOS:
		return r.paths([]string{"/Applications/" + p.name + ".app"}, r.userPath())
	default:
		return textArray([]string{"/opt/" + p.vendor + "/" + p.name, fmt.Sprintf("/usr/lib/%s/%s.so", r.device.arch, p.name)})
	}
}

// installedRows yields a share, of a thousand, of what is installed.
func installedRows(s *scan[installed], share int) {
	r := &s.record
	r.state = s.state
	vendors, names := s.where.text("SoftwareVendor"), s.where.text("SoftwareName")
	var list []install
	s.devices(func(d *device) bool {
		r.device = d
		list = s.state.installs(list[:0], d)
		r.system = list[0].version()
		s.enter(perDevice)
		for _, r.install = range list {
			p := r.install.program
			r.place = d.dice.at(ofEvidence, int(uint32(p.dice)>>7), r.install.release)
			if share < 1000 && !r.place.permille(share) {
				continue
			}
			if !vendors.Match(p.vendor) || !names.Match(p.name) {
				s.skip()
				continue
			}
			if !s.emit() {
				return false
			}
		}
		return true
	})
}
