package tenant

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// exposure is a row of the vulnerability export: a CVE of a version of a program on a
// device, or a program without one.
type exposure struct {
	installed
	update update
	cve    int32 // -1: the program has none
	traits dice  // of the CVE
	first  int64 // ticks at which it was seen first
}

// exportedVulnerabilities follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities.
var exportedVulnerabilities = table[exposure]{
	name: "TvmSoftwareVulnerabilities",
	rows: exposureRows,
	columns: []column[exposure]{
		{"Id", value.String, perRow, func(r *exposure) value.Value { return value.NewString(r.id()) }},
		{"DeviceId", value.String, perDevice, func(r *exposure) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *exposure) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perDevice, func(r *exposure) value.Value { return value.NewString(r.device.platform.name) }},
		{"OSVersion", value.String, perDevice, func(r *exposure) value.Value { return value.NewString(r.system) }},
		{"OSArchitecture", value.String, perDevice, func(r *exposure) value.Value { return value.NewString(r.device.arch) }},
		{"SoftwareVendor", value.String, perItem, func(r *exposure) value.Value { return value.NewString(r.install.program.vendor) }},
		{"SoftwareName", value.String, perItem, func(r *exposure) value.Value { return value.NewString(r.install.program.name) }},
		{"SoftwareVersion", value.String, perItem, func(r *exposure) value.Value { return value.NewString(r.install.version()) }},
		{"CveId", value.String, perRow, func(r *exposure) value.Value { return value.NewString(r.cveID()) }},
		{"VulnerabilitySeverityLevel", value.String, perRow, func(r *exposure) value.Value { return r.ofCVE(r.traits.severity()) }},
		{"CvssScore", value.Real, perRow, (*exposure).score},
		{"ExploitabilityLevel", value.String, perRow, func(r *exposure) value.Value { return r.ofCVE(r.exploitability()) }},
		{"RecommendedSecurityUpdate", value.String, perItem, func(r *exposure) value.Value { return value.NewString(r.update.name) }},
		{"RecommendedSecurityUpdateId", value.String, perItem, func(r *exposure) value.Value { return value.NewString(r.update.id) }},
		{"RecommendedSecurityUpdateUrl", value.String, perItem, func(r *exposure) value.Value {
			if r.update.id == "" {
				return value.NewString("")
			}
			return value.NewString("https://updates.contoso.example/?q=" + r.update.id)
		}},
		{"RecommendationReference", value.String, perItem, func(r *exposure) value.Value {
			return value.NewString("va-_-" + r.install.program.vendor + "-_-" + r.install.program.name)
		}},
		{"SecurityUpdateAvailable", value.Bool, perItem, func(r *exposure) value.Value { return value.NewBool(r.update.id != "") }},
		{"FirstSeenTimestamp", value.DateTime, perRow, func(r *exposure) value.Value { return value.DateTimeFromTicks(r.first) }},
		{"LastSeenTimestamp", value.DateTime, perDevice, func(r *exposure) value.Value { return value.DateTimeFromTicks(r.state.lastSeen(r.device)) }},
		{"DiskPaths", value.Dynamic, perItem, func(r *exposure) value.Value { return listed(r.diskPaths()) }},
		{"RegistryPaths", value.Dynamic, perItem, func(r *exposure) value.Value { return listed(r.registryPaths()) }},
		{"RbacGroupId", value.Int, perDevice, func(r *exposure) value.Value { return groupID(r.device) }},
		{"RbacGroupName", value.String, perDevice, func(r *exposure) value.Value { return groupName(r.device) }},
		{"IsOnboarded", value.Bool, perDevice, func(r *exposure) value.Value { return value.NewBool(r.device.onboarded()) }},
	},
}

// listed is an array; null is the empty one.
func listed(v value.Value) value.Value {
	if v.IsNull() {
		return emptyArray
	}
	return v
}

// id has the form that was seen in 2025: device, vendor, name, version and CVE.
func (r *exposure) id() string {
	p := r.install.program
	return r.device.id + "_" + p.vendor + "_" + p.name + "_" + r.install.version() + "_" + r.cveID()
}

func (r *exposure) cveID() string {
	if r.cve < 0 {
		return ""
	}
	return r.state.library.ids[r.cve]
}

// ofCVE is a text that a program without a CVE does not have.
func (r *exposure) ofCVE(s string) value.Value {
	if r.cve < 0 {
		s = ""
	}
	return value.NewString(s)
}

func (r *exposure) score() value.Value {
	if r.cve < 0 {
		return value.Null(value.Real)
	}
	return value.NewReal(float64(r.traits.score()) / 10)
}

func (r *exposure) exploitability() string {
	switch n := r.traits.at(ofText, 5, 0).n(200); {
	case n < 6:
		return "ExploitIsInKit"
	case n < 14:
		return "ExploitIsVerified"
	case n < 24:
		return "ExploitIsPublic"
	default:
		return "NoExploit"
	}
}

func exposureRows(s *scan[exposure]) {
	s.devices(func(d *device) bool {
		return exposures(s.state, d, &s.record, func(l level) bool {
			if l != perRow {
				s.enter(l)
				return true
			}
			return s.emit()
		})
	})
}

// exposures visits what a device is exposed to. r is the row; visit is called when a
// level begins, and for each row.
func exposures(s *state, d *device, r *exposure, visit func(level) bool) bool {
	if s.expired(d) >= vulnerabilitiesExpired {
		return true
	}
	r.state, r.device = s, d
	list := s.installs(nil, d)
	r.system = list[0].version()
	visit(perDevice)
	day := int(d.seen().day)
	seen := map[string]bool{}
	past := past{state: s, device: d}
	for _, r.install = range list {
		p := r.install.program
		version := p.vendor + "\x00" + p.name + "\x00" + r.install.version()
		if seen[version] { // two places of one version are one row
			continue
		}
		seen[version] = true
		t := &s.tracks[p.track]
		r.place = d.dice.at(ofEvidence, int(uint32(p.dice)>>7), r.install.release)
		cves := t.open(r.install.release, day)
		if d.odd {
			cves = cves[:min(len(cves), oddVulnerabilities)]
		}
		r.update = update{}
		if len(cves) > 0 {
			r.update = t.updates[t.latest(day)]
		}
		visit(perItem)
		if len(cves) == 0 {
			r.cve, r.traits, r.first = -1, 0, d.revisions[past.since(r.install, anyRelease)].ticks
			if !visit(perRow) {
				return false
			}
			continue
		}
		at, fixed := int(t.first[r.install.release+1]), r.install.release
		for i := range cves {
			for fixed+1 < len(t.first) && int(t.first[fixed+1]) <= at+i {
				fixed++
				r.first = d.firstSeen(t, past.since(r.install, fixed), fixed)
			}
			r.cve, r.traits = cves[i], s.library.traits(s.world.dice, cves[i])
			if !visit(perRow) {
				return false
			}
		}
	}
	return true
}

// firstSeen is when the device was first seen with a program that lacks a release of
// its track. A newer version that lacks it too keeps that time.
func (d *device) firstSeen(t *track, since, release int) int64 {
	for _, r := range d.revisions[since:] {
		if t.latest(int(r.day)) >= release {
			return r.ticks
		}
	}
	return d.seen().ticks
}

// past is what was installed on a device before its programs were rolled again.
type past struct {
	state  *state
	device *device
	before map[int][]install // by revision
}

// anyRelease is a release that every version lacks.
const anyRelease = 1<<31 - 1

// since is the revision since which the device has had a program that lacks a release. A
// program that was replaced by another version of itself stays.
func (p *past) since(in install, release int) int {
	since := in.since
	for since > 0 {
		if _, ok := p.before[since]; !ok {
			earlier := *p.device
			earlier.revisions = earlier.revisions[:since]
			if p.before == nil {
				p.before = map[int][]install{}
			}
			p.before[since] = p.state.installs(nil, &earlier)
		}
		list := p.before[since]
		i := slices.IndexFunc(list, func(b install) bool { return b.program == in.program && b.release < release })
		if i < 0 {
			break
		}
		since = list[i].since
	}
	return since
}
