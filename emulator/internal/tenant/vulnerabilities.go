package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// vulnerability is a row of DeviceTvmSoftwareVulnerabilities: a CVE of a version
// of a program on a device.
type vulnerability struct {
	state   *state
	device  *device
	system  string // version of the operating system
	install install
	update  update
	cve     int32
	traits  dice // of the CVE
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsoftwarevulnerabilities-table
// The last two columns are not on that page; live tenants have them.
var vulnerabilities = table[vulnerability]{
	name: "DeviceTvmSoftwareVulnerabilities",
	rows: vulnerabilityRows,
	columns: []column[vulnerability]{
		{"DeviceId", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.device.platform.name) }},
		{"OSVersion", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.system) }},
		{"OSArchitecture", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.device.arch) }},
		{"SoftwareVendor", value.String, perItem, func(r *vulnerability) value.Value { return value.NewString(r.install.program.vendor) }},
		{"SoftwareName", value.String, perItem, func(r *vulnerability) value.Value { return value.NewString(r.install.program.name) }},
		{"SoftwareVersion", value.String, perItem, func(r *vulnerability) value.Value { return value.NewString(r.install.version()) }},
		{"CveId", value.String, perRow, func(r *vulnerability) value.Value { return value.NewString(r.state.library.ids[r.cve]) }},
		{"VulnerabilitySeverityLevel", value.String, perRow, func(r *vulnerability) value.Value { return value.NewString(r.traits.severity()) }},
		{"RecommendedSecurityUpdate", value.String, perItem, func(r *vulnerability) value.Value { return value.NewString(r.update.name) }},
		{"RecommendedSecurityUpdateId", value.String, perItem, func(r *vulnerability) value.Value { return value.NewString(r.update.id) }},
		{"CveTags", value.Dynamic, perRow, func(r *vulnerability) value.Value { return pick(r.traits.at(ofText, 1, 0), cveTags) }},
		{"CveMitigationStatus", value.String, perRow, func(r *vulnerability) value.Value { return value.NewString(r.mitigation()) }},
		{"AadDeviceId", value.String, perDevice, func(r *vulnerability) value.Value { return value.NewString(r.device.aadID) }},
	},
}

// cveTags are the tags of CVEs, most of which have none.
var cveTags = func() []value.Value {
	var list []value.Value
	for _, c := range []struct {
		text  string
		times int
	}{
		{`[]`, 46},
		{`["NoSecurityUpdate"]`, 8},
		{`["ZeroDay"]`, 3},
		{`["ZeroDay","NoSecurityUpdate"]`, 2},
		{`["Exploit"]`, 3},
		{`null`, 2},
		{`{}`, 1},
		{`["[\"nested\"]",""]`, 1},
	} {
		for range c.times {
			list = append(list, value.DynamicJSON(c.text))
		}
	}
	return list
}()

// mitigation is the state of a workaround; hardly any CVE has one.
func (r *vulnerability) mitigation() string {
	if r.traits.at(ofText, 2, 0).permille(990) {
		return ""
	}
	return pick(r.device.dice.at(ofVulnerability, int(r.cve), 0), []string{"Mitigated", "PartiallyMitigated", "NotMitigated"})
}

func vulnerabilityRows(s *scan[vulnerability]) {
	r := &s.record
	r.state = s.state
	vendors, names, ids := s.where.text("SoftwareVendor"), s.where.text("SoftwareName"), s.where.text("CveId")
	counted := len(s.fills[perRow]) == 0
	var list []install
	s.devices(func(d *device) bool {
		if s.state.expired(d) >= vulnerabilitiesExpired {
			return true
		}
		r.device = d
		list = s.state.installs(list[:0], d)
		r.system = list[0].version()
		s.enter(perDevice)
		day := int(d.seen().day)
		for _, r.install = range list {
			p := r.install.program
			t := &s.state.tracks[p.track]
			cves := t.open(r.install.release, day)
			if len(cves) == 0 {
				continue
			}
			if !vendors.Match(p.vendor) || !names.Match(p.name) {
				s.skip()
				continue
			}
			if d.odd {
				cves = cves[:min(len(cves), oddVulnerabilities)]
			}
			r.update = t.updates[t.latest(day)]
			s.enter(perItem)
			for _, r.cve = range cves {
				if !counted {
					r.traits = s.state.library.traits(s.state.world.dice, r.cve)
				}
				if ids != nil && !ids.Match(s.state.library.ids[r.cve]) {
					s.skip()
					continue
				}
				if !s.emit() {
					return false
				}
			}
		}
		return true
	})
}

// oddVulnerabilities is the most of one program on a device with an odd id.
const oddVulnerabilities = 12
