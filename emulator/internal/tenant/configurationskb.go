package tenant

import (
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// settingID is the id of configuration i; the numbers of the first have less
// digits than those of the rest.
func settingID(i int) string {
	if i < 100 {
		return "scid-" + strconv.Itoa(10+i*7)
	}
	return "scid-" + strconv.Itoa(10_000+(i-100)*13)
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsecureconfigurationassessmentkb-table
var configurationsKB = table[setting]{
	name: "DeviceTvmSecureConfigurationAssessmentKB",
	rows: func(s *scan[setting]) {
		for _, s.record = range settings(s.state.world.dice) {
			if !s.emit() {
				return
			}
		}
	},
	columns: []column[setting]{
		{"ConfigurationId", value.String, perRow, func(r *setting) value.Value { return value.NewString(r.id) }},
		{"ConfigurationImpact", value.Real, perRow, func(r *setting) value.Value { return value.NewReal(r.impact) }},
		{"ConfigurationName", value.String, perRow, func(r *setting) value.Value { return value.NewString(r.name()) }},
		{"ConfigurationDescription", value.String, perRow, func(r *setting) value.Value {
			return value.NewString("Determines whether " + r.name() + " is set as recommended.\nSee also <b>" + r.category + "</b>.")
		}},
		{"RiskDescription", value.String, perRow, func(r *setting) value.Value {
			return value.NewString("A device that does not do this is easier to attack: " + pick(r.dice.at(ofText, 5, 0), cveEffects) + ".")
		}},
		{"ConfigurationCategory", value.String, perRow, func(r *setting) value.Value { return value.NewString(r.category) }},
		{"ConfigurationSubcategory", value.String, perRow, func(r *setting) value.Value { return value.NewString(r.subcategory) }},
		{"ConfigurationBenchmarks", value.Dynamic, perRow, (*setting).benchmarks},
		{"Tags", value.Dynamic, perRow, func(r *setting) value.Value { return pick(r.dice.at(ofText, 6, 0), settingTags) }},
		{"RemediationOptions", value.String, perRow, func(r *setting) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 7, 0), remediations))
		}},
	},
}

var settingTags = []value.Value{
	emptyArray, emptyArray, value.Null(value.Dynamic), emptyBag,
	value.DynamicJSON(`["Enhanced Windows Security"]`), value.DynamicJSON(`["Tamper Protection","Zero Trust – «basis»"]`),
}

var remediations = []string{
	"", "Group Policy: Computer Configuration > Administrative Templates",
	`Registry: set HKLM\SYSTEM\CurrentControlSet\Control\Lsa "RunAsPPL" to 1`,
	"Intune: Endpoint security → Attack surface reduction", `{"powershell":"Set-MpPreference -DisableRealtimeMonitoring $false"}`,
}

func (r *setting) name() string {
	return pick(r.dice.at(ofText, 8, 0), []string{"Enable", "Disable", "Block", "Require", "Restrict"}) + " " +
		pick(r.dice.at(ofText, 9, 0), []string{"credential theft from LSASS", "SMBv1", "autorun", "'Guest' account", "macros from the internet", "TLS 1.0", "remote assistance", "la vérification des mises à jour"}) +
		" (" + r.id + ")"
}

func (r *setting) benchmarks() value.Value {
	d := r.dice.at(ofText, 10, 0)
	if d.permille(300) {
		return emptyArray
	}
	return value.NewArray([]value.Value{
		bag("benchmark", "CIS", "version", "2.0.0", "rule", strconv.Itoa(1+d.n(18))+"."+strconv.Itoa(1+d.at(ofText, 0, 0).n(9)), "level", 1+d.n(2)),
		bag("benchmark", "STIG", "version", "", "rule", nil, "published", "2023-11-07T00:00:00Z"),
	})
}
