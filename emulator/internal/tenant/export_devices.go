package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// exportedConfigurations follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-secure-config.
var exportedConfigurations = exportOf("TvmSecureConfigurations", &configurations, func(r *assessed) *device { return r.device }, nil,
	deviceIDColumn[assessed](), deviceNameColumn[assessed](), platformColumn[assessed]("OSPlatform"), systemColumn[assessed]("OSVersion"),
	same(&configurations, "Timestamp"), same(&configurations, "ConfigurationId"), same(&configurations, "ConfigurationCategory"),
	same(&configurations, "ConfigurationSubcategory"), same(&configurations, "ConfigurationImpact"),
	same(&configurations, "IsCompliant"), same(&configurations, "IsApplicable"), same(&configurations, "IsExpectedUserImpact"),
	ofRecord("ConfigurationName", value.String, func(r *assessed) value.Value { return value.NewString(r.setting.name()) }),
	ofRecord("RecommendationReference", value.String, func(r *assessed) value.Value { return value.NewString("sca-_-" + r.setting.id) }),
	groupIDColumn[assessed](), groupNameColumn[assessed](),
)

// exportedExtensions follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-browser-extensions.
var exportedExtensions = exportOf("TvmBrowserExtensions", &browserExtensions, func(r *extended) *device { return r.device }, nil,
	deviceIDColumn[extended](), deviceNameColumn[extended](),
	same(&browserExtensions, "BrowserName"), same(&browserExtensions, "ExtensionId"), same(&browserExtensions, "ExtensionName"),
	same(&browserExtensions, "ExtensionDescription"), same(&browserExtensions, "ExtensionVersion"), same(&browserExtensions, "ExtensionRisk"),
	ofRecord("IsActivated", value.Bool, func(r *extended) value.Value {
		return value.NewBool(pick(r.place.at(ofText, 0, r.updated), []bool{true, true, true, false, false}))
	}),
	same(&browserExtensions, "InstallationTime"),
	ofRecord("Permissions", value.Dynamic, (*extended).permissions),
	groupIDColumn[extended](), groupNameColumn[extended](),
)

// permissions are what the extension asks for.
func (r *extended) permissions() value.Value {
	list := []value.Value{}
	for kind, p := range permissions {
		if d := r.dice.at(ofExtension, kind, 2); d.at(ofText, 0, 0).permille(550) {
			list = append(list, bag("Id", p.id, "IsRequired", pick(d, []bool{true, true, false}), "Risk", p.risk))
		}
	}
	return value.NewArray(list)
}

// exportedHardware follows https://learn.microsoft.com/defender-endpoint/api/export-firmware-hardware-assessment.
var exportedHardware = exportOf("TvmHardwareFirmware", &hardware, func(r *component) *device { return r.device }, nil,
	deviceIDColumn[component](), deviceNameColumn[component](),
	same(&hardware, "ComponentType"), same(&hardware, "Manufacturer"), same(&hardware, "ComponentName"), same(&hardware, "ComponentVersion"),
	ofRecord("AdditionalFields", value.String, func(r *component) value.Value { return jsonText(r.fields()) }),
	groupIDColumn[component](), groupNameColumn[component](),
)

// jsonText is a dynamic as JSON within text; "" for null.
func jsonText(v value.Value) value.Value {
	if v.IsNull() {
		return value.NewString("")
	}
	return value.NewString(string(v.AppendJSON(nil)))
}

// exportedGathering follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-information-gathering.
var exportedGathering = exportOf("TvmInformationGathering", &gathering, func(r *gathered) *device { return r.device }, nil,
	same(&gathering, "Timestamp"), deviceIDColumn[gathered](), deviceNameColumn[gathered](), same(&gathering, "LastSeenTime"),
	platformColumn[gathered]("OsPlatform"), systemColumn[gathered]("OsVersion"), // spelled so in this data set alone
	ofRecord("DeviceGatheredInfo", value.String, func(r *gathered) value.Value { return jsonText(textual(r.fields())) }),
	groupIDColumn[gathered](), groupNameColumn[gathered](),
)

// textual is a bag with its numbers and bools as text, as they were seen in this data
// set: "True", "0".
func textual(v value.Value) value.Value {
	properties, ok := v.Bag()
	if !ok {
		return v
	}
	var slots []any
	for _, p := range properties {
		s, scalar := p.Value.Scalar()
		switch {
		case !scalar || s.IsNull():
			slots = append(slots, p.Name, p.Value)
		case s.Kind() == value.Bool && s.Bool():
			slots = append(slots, p.Name, "True")
		case s.Kind() == value.Bool:
			slots = append(slots, p.Name, "False")
		case s.Kind() == value.String || s.Kind() == value.DateTime:
			slots = append(slots, p.Name, p.Value)
		default:
			slots = append(slots, p.Name, s.String())
		}
	}
	return bag(slots...)
}
