package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// benchmark is a set of rules for an operating system; a profile is one that
// devices are assessed by.
type benchmark struct {
	name, platform string
	rules          int
}

var benchmarks = []benchmark{
	{"CIS Microsoft Windows 11 Enterprise", "Windows11", 120},
	{"CIS Microsoft Windows 10 Enterprise", "Windows10", 110},
	{"CIS Microsoft Windows Server 2022", "WindowsServer2022", 130},
	{"STIG Windows Server 2019", "WindowsServer2019", 90},
	{"STIG Windows 11", "Windows11", 80},
}

// rule is a row of DeviceBaselineComplianceAssessmentKB.
type rule struct {
	dice      dice
	benchmark *benchmark
	id        string
}

// ruleOf is rule i of benchmark b.
func ruleOf(world dice, b, i int) rule {
	return rule{world.at(ofBaseline, b, i), &benchmarks[b], fmt.Sprintf("cce-%05d-%d-%d", 10000+1000*b+i, b, i%10)}
}

var ruleSources = []value.Value{
	value.DynamicJSON(`["HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer:EnableForcedLogoff"]`),
	value.DynamicJSON(`["Local Security Policy","auditpol"]`),
	value.DynamicJSON(`{"registry":{"path":"HKLM\\Software\\Policies","value":"NoAutorun"},"fallback":null}`),
	value.DynamicJSON(`[{"kind":"wmi","query":"SELECT * FROM Win32_Account WHERE Name = \"Gäste\""},{"kind":"file","path":""}]`),
	emptyArray, emptyBag, value.Null(value.Dynamic),
}

var ruleValues = []value.Value{
	value.DynamicJSON(`["1"]`), value.DynamicJSON(`["0"]`), value.DynamicJSON(`["Enabled"]`), value.DynamicJSON(`[1,2]`),
	value.DynamicJSON(`[9007199254740993]`), value.DynamicJSON(`["2024-01-31T00:00:00Z"]`), value.DynamicJSON(`[true,false,null]`),
	value.DynamicJSON(`["S-1-5-32-544","Administratoren"]`), value.DynamicJSON(`{"min":14,"max":null,"unit":"characters"}`), value.DynamicJSON(`[0.5,1e3]`),
	emptyArray, emptyBag, value.Null(value.Dynamic), value.DynamicJSON(`"{\"a\":[1]}"`), value.DynamicJSON(`""`),
}

func (r *rule) title() string {
	return pick(r.dice.at(ofText, 0, 0), []string{"Ensure", "Do not", "Always", "Vérifier:"}) + " '" +
		pick(r.dice.at(ofText, 1, 0), []string{"Interactive logon: Do not require CTRL+ALT+DEL", "Minimum password length", "Audit Process Creation", "Turn off AutoPlay", "Windows ファイアウォール"}) +
		"' is set (" + r.id + ")"
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicebaselinecomplianceassessmentkb-table
var baselineAssessmentKB = table[rule]{
	name: "DeviceBaselineComplianceAssessmentKB",
	rows: func(s *scan[rule]) {
		for b := range benchmarks {
			for i := range benchmarks[b].rules {
				if s.record = ruleOf(s.state.world.dice, b, i); !s.emit() {
					return
				}
			}
		}
	},
	columns: []column[rule]{
		{"ConfigurationId", value.String, perRow, func(r *rule) value.Value { return value.NewString(r.id) }},
		{"ConfigurationName", value.String, perRow, func(r *rule) value.Value { return value.NewString(r.title()) }},
		{"ConfigurationDescription", value.String, perRow, func(r *rule) value.Value {
			return value.NewString("<p>" + r.title() + "</p>\r\n<p>The recommended state is described in the benchmark.</p>")
		}},
		{"ConfigurationRationale", value.String, perRow, func(r *rule) value.Value {
			return value.NewString("Otherwise somebody could " + pick(r.dice.at(ofText, 2, 0), cveEffects) + ".")
		}},
		{"ConfigurationCategory", value.String, perRow, func(r *rule) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 3, 0), []string{"Account Policies", "Local Policies", "Advanced Audit Policy", ""}))
		}},
		{"BenchmarkProfileLevels", value.Dynamic, perRow, func(r *rule) value.Value {
			return pick(r.dice.at(ofText, 4, 0), []value.Value{value.DynamicJSON(`["Level 1"]`), value.DynamicJSON(`["Level 1","Level 2"]`), emptyArray})
		}},
		{"CCEReference", value.String, perRow, func(r *rule) value.Value { return value.NewString("CCE-" + fmt.Sprint(30000+r.dice.n(9999))) }},
		{"RemediationOptions", value.String, perRow, func(r *rule) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 5, 0), remediations))
		}},
		{"ConfigurationBenchmark", value.String, perRow, func(r *rule) value.Value { return value.NewString(r.benchmark.name) }},
		{"Source", value.Dynamic, perRow, func(r *rule) value.Value { return pick(r.dice.at(ofText, 6, 0), ruleSources) }},
		{"RecommendedValue", value.Dynamic, perRow, func(r *rule) value.Value { return pick(r.dice.at(ofText, 7, 0), ruleValues) }},
	},
}

// profile is a row of DeviceBaselineComplianceProfiles.
type profile struct {
	state     *state
	dice      dice
	benchmark *benchmark
	number    int
}

// profileOf is a profile of benchmark b.
func (s *state) profileOf(b, number int) profile {
	return profile{s, s.dice.at(ofBaseline, b, 1000+number), &benchmarks[b], number}
}

// profilesEach is how many profiles there are of a benchmark.
const profilesEach = 2

func (r *profile) id() string { return r.dice.guid() }

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicebaselinecomplianceprofiles-table
var baselineProfiles = table[profile]{
	name: "DeviceBaselineComplianceProfiles",
	rows: func(s *scan[profile]) {
		for b := range benchmarks {
			for n := range profilesEach {
				if s.record = s.state.profileOf(b, n); !s.emit() {
					return
				}
			}
		}
	},
	columns: []column[profile]{
		{"ProfileId", value.String, perRow, func(r *profile) value.Value { return value.NewString(r.id()) }},
		{"ProfileName", value.String, perRow, func(r *profile) value.Value {
			return value.NewString(fmt.Sprintf("%s %d", pick(r.dice, []string{"Baseline", "Référence", "基準", "Pilot 🚀"}), r.number+1))
		}},
		{"ProfileDescription", value.String, perRow, func(r *profile) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 0, 0), []string{"", "All devices of the pilot", "Geräte der Zentrale\nund der Filialen"}))
		}},
		{"OSPlatform", value.Dynamic, perRow, func(r *profile) value.Value {
			if r.number == 0 {
				return textArray([]string{r.benchmark.platform})
			}
			return value.NewDynamic(value.NewString(r.benchmark.platform))
		}},
		{"OSVersion", value.String, perRow, func(r *profile) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 1, 0), []string{"", "23H2", "24H2"}))
		}},
		{"BaseBenchmark", value.String, perRow, func(r *profile) value.Value { return value.NewString(r.benchmark.name) }},
		{"BenchmarkVersion", value.String, perRow, func(r *profile) value.Value { return value.NewString(fmt.Sprintf("%d.0.0", 1+r.dice.n(4))) }},
		{"BenchmarkProfileLevel", value.String, perRow, func(r *profile) value.Value { return value.NewString(fmt.Sprintf("Level %d", r.number+1)) }},
		{"Status", value.Bool, perRow, func(r *profile) value.Value {
			if r.dice.at(ofText, 2, 0).permille(150) {
				return value.Null(value.Bool)
			}
			return value.NewBool(r.dice.at(ofText, 3, 0).permille(700))
		}},
		{"CreatedBy", value.String, perRow, func(r *profile) value.Value { return value.NewString(pick(r.dice.at(ofText, 4, 0), upns)) }},
		{"CreatedOn", value.DateTime, perRow, func(r *profile) value.Value { return value.DateTimeFromTicks(r.created()) }},
		{"LastUpdatedBy", value.String, perRow, func(r *profile) value.Value { return value.NewString(pick(r.dice.at(ofText, 5, 0), upns)) }},
		{"LastUpdatedOn", value.DateTime, perRow, (*profile).updated},
	},
}

func (r *profile) created() int64 {
	d := r.dice.at(ofTime, 0, 0)
	return roundTime(d, r.state.started-int64(60+d.n(400))*value.TicksPerDay-int64(d.at(ofTime, 1, 1).n(int(value.TicksPerDay))))
}

// updated is when the profile was last edited, about every ten days.
func (r *profile) updated() value.Value {
	d := r.dice.at(ofTime, 2, 0)
	if d.permille(150) {
		return value.Null(value.DateTime)
	}
	const cycle = 10
	day := r.state.day - (r.state.day+d.n(cycle))%cycle
	return value.DateTimeFromTicks(r.state.started + int64(day)*value.TicksPerDay - int64(d.n(int(6*value.TicksPerHour))))
}

// complied is a row of DeviceBaselineComplianceAssessment.
type complied struct {
	device  *device
	system  string // version of the operating system
	profile profile
	rule    rule
	place   dice // of the rule on the device
	flipped int  // the newest revision that rolled the result again
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicebaselinecomplianceassessment-table
var baselineAssessment = table[complied]{
	name: "DeviceBaselineComplianceAssessment",
	rows: compliedRows,
	columns: []column[complied]{
		{"DeviceId", value.String, perDevice, func(r *complied) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *complied) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perDevice, func(r *complied) value.Value { return value.NewString(r.device.platform.name) }},
		{"OSVersion", value.String, perDevice, func(r *complied) value.Value { return value.NewString(r.system) }},
		{"ConfigurationId", value.String, perRow, func(r *complied) value.Value { return value.NewString(r.rule.id) }},
		{"ProfileId", value.String, perItem, func(r *complied) value.Value { return value.NewString(r.profile.id()) }},
		{"IsCompliant", value.Bool, perRow, func(r *complied) value.Value {
			if d := r.place.at(ofText, 0, r.flipped); !d.permille(50) {
				return value.NewBool(d.at(ofText, 0, 0).permille(700))
			}
			return value.Null(value.Bool)
		}},
		{"IsApplicable", value.Bool, perRow, func(r *complied) value.Value { return value.NewBool(!r.place.at(ofText, 1, 0).permille(60)) }},
		{"Source", value.Dynamic, perRow, func(r *complied) value.Value { return pick(r.rule.dice.at(ofText, 6, 0), ruleSources) }},
		{"RecommendedValue", value.Dynamic, perRow, func(r *complied) value.Value { return pick(r.rule.dice.at(ofText, 7, 0), ruleValues) }},
		{"CurrentValue", value.Dynamic, perRow, func(r *complied) value.Value { return pick(r.place.at(ofText, 2, r.flipped), ruleValues) }},
		{"IsExempt", value.Bool, perRow, func(r *complied) value.Value { return value.NewBool(r.place.at(ofText, 3, 0).permille(40)) }},
	},
}

// assessedShare is how many of a thousand devices a profile covers.
const assessedShare = 320

func compliedRows(s *scan[complied]) {
	r := &s.record
	s.devices(func(d *device) bool {
		r.device = d
		r.system = s.state.system(d).version()
		entered := false
		for b := range benchmarks {
			if benchmarks[b].platform != d.platform.name {
				continue
			}
			chosen := d.dice.at(ofBaseline, b, 0)
			if !chosen.permille(assessedShare) && !d.odd {
				continue
			}
			if !entered {
				s.enter(perDevice)
				entered = true
			}
			r.profile = s.state.profileOf(b, chosen.at(ofBaseline, 0, 1).n(profilesEach))
			s.enter(perItem)
			for i := range benchmarks[b].rules {
				r.rule = ruleOf(s.state.world.dice, b, i)
				r.place = d.dice.at(ofBaseline, b, i+1)
				r.flipped = 0
				for n := len(d.revisions) - 1; n > 0 && r.flipped == 0; n-- {
					if r.place.at(ofBaseline, 0, n).permille(50) {
						r.flipped = n
					}
				}
				if d.odd && i >= 8 {
					break
				}
				if !s.emit() {
					return false
				}
			}
		}
		return true
	})
}
