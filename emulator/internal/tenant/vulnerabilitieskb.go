package tenant

import (
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// traits is where the properties of a CVE are rolled.
func (l *library) traits(world dice, cve int32) dice { return world.at(ofVulnerability, int(cve), 0) }

// cveScores are tenths of CVSS scores as they are distributed.
var cveScores = [...]uint8{
	21, 25, 33, 35, 37, 40, 42, 43, 44, 47, 48, 49, 50, 53, 53, 54, 54, 55, 55, 55, 55, 57, 59, 61, 61, 63, 64, 65, 65, 65,
	65, 67, 68, 70, 71, 72, 72, 74, 75, 75, 75, 75, 75, 78, 78, 78, 78, 78, 80, 81, 82, 84, 86, 88, 88, 88, 88, 90, 91, 96, 98, 98, 98, 100,
}

// score is the CVSS score of a CVE in tenths.
func (d dice) score() int { return int(cveScores[d>>58]) }

// severity is the level of a CVE by its score.
func (d dice) severity() string {
	switch s := d.score(); {
	case s < 40:
		return "Low"
	case s < 70:
		return "Medium"
	case s < 90:
		return "High"
	default:
		return "Critical"
	}
}

// cveEntry is a row of DeviceTvmSoftwareVulnerabilitiesKB.
type cveEntry struct {
	state  *state
	cve    int32
	traits dice
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsoftwarevulnerabilitieskb-table
// The page calls CvssScore a string; live tenants have a real, and the last
// three columns, which the page does not have.
var vulnerabilitiesKB = table[cveEntry]{
	name: "DeviceTvmSoftwareVulnerabilitiesKB",
	rows: cveRows,
	columns: []column[cveEntry]{
		{"CveId", value.String, perRow, func(r *cveEntry) value.Value { return value.NewString(r.state.library.ids[r.cve]) }},
		{"CvssScore", value.Real, perRow, (*cveEntry).score},
		{"IsExploitAvailable", value.Bool, perRow, (*cveEntry).exploit},
		{"VulnerabilitySeverityLevel", value.String, perRow, func(r *cveEntry) value.Value { return value.NewString(r.traits.severity()) }},
		{"LastModifiedTime", value.DateTime, perRow, (*cveEntry).modified},
		{"PublishedDate", value.DateTime, perRow, (*cveEntry).published},
		{"VulnerabilityDescription", value.String, perRow, func(r *cveEntry) value.Value { return value.NewString(r.description()) }},
		{"AffectedSoftware", value.Dynamic, perRow, (*cveEntry).affected},
		{"CvssVector", value.String, perRow, func(r *cveEntry) value.Value { return value.NewString(r.vector()) }},
		{"CveSupportability", value.String, perRow, func(r *cveEntry) value.Value {
			return value.NewString(pick(r.traits.at(ofText, 3, 0), []string{"Supported", "Supported", "Supported", "NotSupported", ""}))
		}},
		{"EpssScore", value.Real, perRow, (*cveEntry).epss},
	},
}

// cveRows yields the CVEs of a library in an order that is neither that of
// their names nor that of their publication.
func cveRows(s *scan[cveEntry]) {
	r := &s.record
	r.state = s.state
	l := &s.state.library
	ids := s.where.text("CveId")
	row := func(i int) bool {
		if ids != nil && !ids.Match(l.ids[i]) {
			return true
		}
		r.cve = int32(i)
		r.traits = l.traits(s.state.world.dice, r.cve)
		return s.emit()
	}
	// The stride has no divisor in common with the size, so each comes once.
	for i, at := 0, 0; i < l.atStart; i, at = i+1, (at+l.stride)%l.atStart {
		if i%patience == 0 && !s.alive() || !row(at) {
			return
		}
	}
	for i := l.atStart; i < len(l.ids); i++ {
		if !row(i) {
			return
		}
	}
}

func (r *cveEntry) score() value.Value {
	if r.traits.at(ofText, 4, 0).permille(8) {
		return value.Null(value.Real)
	}
	return value.NewReal(float64(r.traits.score()) / 10)
}

func (r *cveEntry) exploit() value.Value {
	switch n := r.traits.at(ofText, 5, 0).n(200); {
	case n == 0:
		return value.Null(value.Bool)
	default:
		return value.NewBool(n < 14)
	}
}

// changed is the newest day, zero or later, on which the entry was edited; -1
// if it was not: a thousandth of all entries is edited on a day.
func (r *cveEntry) changed() int {
	const cycle = 1009
	day := r.state.day - (r.state.day-int(r.cve)%cycle+cycle)%cycle
	if day <= 0 || day <= int(r.state.library.days[r.cve]) {
		return -1
	}
	return day
}

func (r *cveEntry) published() value.Value {
	if r.traits.at(ofText, 6, 0).permille(3) {
		return value.Null(value.DateTime)
	}
	return value.DateTimeFromTicks(r.publishedTicks())
}

func (r *cveEntry) publishedTicks() int64 {
	midnight := r.state.started - r.state.started%value.TicksPerDay - value.TicksPerDay
	day := midnight + int64(r.state.library.days[r.cve])*value.TicksPerDay
	switch d := r.traits.at(ofTime, 1, 0); d.n(4) {
	case 0:
		return day
	case 1:
		return day + int64(d.at(ofTime, 0, 1).n(24*60))*value.TicksPerMinute
	default:
		return day + int64(d.at(ofTime, 0, 1).n(int(value.TicksPerDay)))
	}
}

func (r *cveEntry) modified() value.Value {
	d := r.traits.at(ofTime, 2, 0)
	if d.permille(2) {
		return value.Null(value.DateTime)
	}
	if day := r.changed(); day > 0 {
		return value.DateTimeFromTicks(roundTime(d, r.state.started+int64(day)*value.TicksPerDay-int64(d.n(int(4*value.TicksPerHour)))))
	}
	age := max(0, r.state.started-r.publishedTicks())
	return value.DateTimeFromTicks(roundTime(d, r.publishedTicks()+int64(d.at(ofTime, 0, 1).n(int(age)+1))))
}

func (r *cveEntry) epss() value.Value {
	d := r.traits.at(ofText, 7, 0)
	if d.permille(40) {
		return value.Null(value.Real)
	}
	n := 4 + d.skewed(300)*d.at(ofText, 0, 0).skewed(300)
	if day := r.changed(); day > 0 {
		n += d.at(ofDay, day, 5).n(40)
	}
	return value.NewReal(float64(n) / 100000)
}

func (r *cveEntry) vector() string {
	d := r.traits.at(ofText, 8, 0)
	if d.permille(60) {
		return ""
	}
	b := make([]byte, 0, 48)
	b = append(b, "CVSS:3.1"...)
	for i, m := range [...]struct{ name, values string }{
		{"/AV:", "NALP"}, {"/AC:", "LH"}, {"/PR:", "NLH"}, {"/UI:", "NR"}, {"/S:", "UC"}, {"/C:", "HLN"}, {"/I:", "HLN"}, {"/A:", "HLN"},
	} {
		b = append(b, m.name...)
		b = append(b, m.values[int(d>>(4*i)&15)%len(m.values)])
	}
	return string(b)
}

// vendor is who makes the first of the products.
func (r *cveEntry) vendor() string {
	if t := r.state.library.tracks[r.cve]; t > 0 {
		return r.state.programs[r.state.tracks[t-1].programs[0]].vendor
	}
	return pick(r.traits.at(ofText, 9, 0).at(ofText, 0, 0), tailVendors)
}

// products are the vendor:product names that the CVE is said to affect.
func (r *cveEntry) products() []string {
	var list []string
	if t := r.state.library.tracks[r.cve]; t > 0 {
		for _, i := range r.state.tracks[t-1].programs {
			p := &r.state.programs[i]
			list = append(list, p.vendor+":"+p.name)
		}
		return list
	}
	d := r.traits.at(ofText, 9, 0)
	for i := range 1 + d.skewed(6) {
		d := d.at(ofText, i, 0)
		list = append(list, pick(d, tailVendors)+":"+pick(d.at(ofText, 0, 0), tailAdjectives)+"_"+pick(d.at(ofText, 1, 0), tailNouns))
	}
	return list
}

func (r *cveEntry) affected() value.Value {
	if r.state.library.tracks[r.cve] == 0 {
		switch r.traits.at(ofText, 10, 0).n(300) {
		case 0:
			return value.Null(value.Dynamic)
		case 1:
			return emptyArray
		case 2:
			return emptyBag
		}
	}
	return textArray(r.products())
}

var (
	cveKinds = []string{
		"A buffer overflow", "A use-after-free", "An out-of-bounds read", "Improper validation of input", "A race condition",
		"An integer overflow", "Incorrect default permissions", "Cross-site scripting", "An SQL injection", "A path traversal",
	}
	cveParts   = []string{"the parser", "the network stack", "the update service", "an ActiveX control", "the «übersetzer» module", "the kernel driver", "the web console", "the JSON reader (`{\"a\":null}`)"}
	cveEffects = []string{"execute arbitrary code", "read memory of other processes", "cause a denial of service", "gain SYSTEM privileges", "bypass a security feature", "obtain sensitive information"}
)

// description is a sentence or two; one in five thousand is pages long.
func (r *cveEntry) description() string {
	d := r.traits.at(ofText, 11, 0)
	text := "Summary: " + pick(d.at(ofText, 0, 0), cveKinds) + " in " + pick(d.at(ofText, 1, 0), cveParts) + " of " + r.vendor() +
		" before version " + strconv.Itoa(1+d.n(40)) + "." + strconv.Itoa(d.at(ofText, 2, 0).n(20)) +
		" allows an attacker to " + pick(d.at(ofText, 3, 0), cveEffects) + ". Impact: " + r.traits.severity() + "."
	switch n := d.at(ofText, 4, 0).n(5000); {
	case n == 0:
		return strings.Repeat(text+"\r\n\t• ", 40)
	case n < 50:
		return ""
	case n < 2500:
		return text + " Additional information: the attack needs a file of a chosen form to be opened; the vendor has published a fixed release."
	default:
		return text
	}
}
