package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// setting is an assessed configuration, a row of the knowledge base.
type setting struct {
	dice        dice
	id          string
	category    string
	subcategory string
	impact      float64
	on          on
}

// assessed is a row of DeviceTvmSecureConfigurationAssessment.
type assessed struct {
	device  *device
	setting *setting
	place   dice // of the setting on the device
	flipped int  // the newest revision that rolled the result again
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmsecureconfigurationassessment-table
var configurations = table[assessed]{
	name: "DeviceTvmSecureConfigurationAssessment",
	rows: assessedRows,
	columns: []column[assessed]{
		{"DeviceId", value.String, perDevice, func(r *assessed) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *assessed) value.Value { return value.NewString(r.device.name) }},
		{"OSPlatform", value.String, perDevice, func(r *assessed) value.Value { return value.NewString(r.device.platform.name) }},
		{"Timestamp", value.DateTime, perDevice, func(r *assessed) value.Value { return value.DateTimeFromTicks(r.device.seen().ticks) }},
		{"ConfigurationId", value.String, perRow, func(r *assessed) value.Value { return value.NewString(r.setting.id) }},
		{"ConfigurationCategory", value.String, perRow, func(r *assessed) value.Value { return value.NewString(r.setting.category) }},
		{"ConfigurationSubcategory", value.String, perRow, func(r *assessed) value.Value { return value.NewString(r.setting.subcategory) }},
		{"ConfigurationImpact", value.Real, perRow, func(r *assessed) value.Value { return value.NewReal(r.setting.impact) }},
		{"IsCompliant", value.Bool, perRow, (*assessed).compliant},
		{"IsApplicable", value.Bool, perRow, func(r *assessed) value.Value { return value.NewBool(r.applicable()) }},
		{"Context", value.Dynamic, perRow, (*assessed).context},
		{"IsExpectedUserImpact", value.Bool, perRow, (*assessed).impact},
	},
}

func (r *assessed) applicable() bool { return !r.place.at(ofText, 0, 0).permille(120) }

func (r *assessed) compliant() value.Value {
	d := r.place.at(ofText, 1, r.flipped)
	if !r.applicable() && d.permille(300) {
		return value.Null(value.Bool)
	}
	return value.NewBool(d.permille(640))
}

func (r *assessed) impact() value.Value {
	switch d := r.setting.dice.at(ofText, 2, 0); {
	case d.permille(150):
		return value.Null(value.Bool)
	default:
		return value.NewBool(d.permille(400))
	}
}

// contexts are what most settings have for context.
var contexts = []value.Value{
	emptyArray, emptyArray, emptyArray, emptyArray, emptyArray, emptyArray, value.Null(value.Dynamic), emptyBag,
	value.DynamicJSON(`[["Disabled"]]`), value.DynamicJSON(`["{\"state\":\"off\",\"since\":\"2024-02-30\"}"]`),
	value.DynamicJSON(`[""]`), value.DynamicJSON(`"Not configured"`),
}

func (r *assessed) context() value.Value {
	d := r.place.at(ofText, 3, r.flipped)
	if !d.permille(60) {
		return pick(d.at(ofText, 0, 0), contexts)
	}
	return value.NewArray([]value.Value{
		bag("Account", pick(d.at(ofText, 1, 0), accountNames), "LastLogon", dateText(r.device.seen().ticks), "Rid", beyondDouble+d.n(1000), "Enabled", d.n(2) == 0),
		bag("Account", "", "LastLogon", nil, "Rid", "500", "Groups", []string{"Administrators", "Administrateurs (à vérifier)"}),
	})
}

func assessedRows(s *scan[assessed]) {
	r := &s.record
	ids := s.where.text("ConfigurationId")
	scanned := s.where.span("Timestamp")
	list := settings(s.state.world.dice)
	s.devices(func(d *device) bool {
		if !scanned.holds(d.seen().ticks) {
			return true
		}
		r.device = d
		s.enter(perDevice)
		for i := range list {
			r.setting = &list[i]
			if r.setting.on&(1<<d.platform.family) == 0 || d.odd && i%16 != 0 {
				continue
			}
			r.place = d.dice.at(ofConfiguration, i, 0)
			if !r.place.permille(900) {
				continue
			}
			if !ids.Match(r.setting.id) {
				s.skip()
				continue
			}
			r.flipped = d.flipped(i)
			if !s.emit() {
				return false
			}
		}
		return true
	})
}

// flipped is the newest revision of d that rolled setting i again.
func (d *device) flipped(i int) int {
	for n := len(d.revisions) - 1; n > 0; n-- {
		if d.dice.at(ofConfiguration, i, n).permille(60) {
			return n
		}
	}
	return 0
}

// settingCount is how many configurations there are; a Windows device is
// assessed for about a hundred of them.
const settingCount = 190

// settings are the configurations that devices are assessed for.
func settings(world dice) []setting {
	list := make([]setting, settingCount)
	for i := range list {
		d := world.at(ofConfiguration, i, 0)
		s := setting{dice: d, id: settingID(i), impact: float64(1 + d.n(10))}
		if d.at(ofText, 0, 0).permille(80) {
			s.impact += 0.5
		}
		kind := pick(d.at(ofText, 1, 0), settingKinds)
		s.category = kind.category
		if !d.permille(150) {
			s.subcategory = pick(d.at(ofText, 2, 0), kind.subcategories)
		}
		switch n := d.at(ofText, 3, 0).n(100); {
		case n < 60:
			s.on = onWindows
		case n < 75:
			s.on = onMac
		case n < 92:
			s.on = onLinux
		case n < 95:
			s.on = onMobile | onAll
		default:
			s.on = onAll
		}
		list[i] = s
	}
	return list
}

var settingKinds = []struct {
	category      string
	subcategories []string
}{
	{"Security controls", []string{"Antivirus", "Attack Surface Reduction", "EDR", "Firewall", "BitLocker"}},
	{"OS", []string{"User Rights Assignment", "Security Options", "Sécurité du démarrage"}},
	{"Accounts", []string{"Local", "Domain", "Password Policy"}},
	{"Network", []string{"SMB", "Name resolution", "TLS"}},
	{"Application", []string{"Microsoft Office", "Adobe Reader", "Browser", "ブラウザー"}},
}
