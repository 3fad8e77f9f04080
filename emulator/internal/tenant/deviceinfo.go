package tenant

import (
	"fmt"
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// DeviceInfo is an entity log: a record of each device about once a day.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceinfo-table
var deviceInfo = table[happened]{
	name:   "DeviceInfo",
	rows:   func(s *scan[happened]) { eventRows(s, eventPlan{ofInfoEvents, 1, 2, 1}) },
	hidden: ingestionTime,
	columns: []column[happened]{
		{"Timestamp", value.DateTime, perRow, func(r *happened) value.Value { return value.DateTimeFromTicks(r.ticks) }},
		{"DeviceId", value.String, perDevice, text(func(r *happened) string { return r.device.id })},
		{"DeviceName", value.String, perDevice, text(func(r *happened) string { return r.device.name })},
		{"ClientVersion", value.String, perRow, choice(37, "10.8750.26100.1742", "10.8792.26100.2894", "101.24082.0004", "")},
		{"PublicIP", value.String, perRow, text(func(r *happened) string { return address(r.dice.at(ofText, 38, 0), true) })},
		{"OSArchitecture", value.String, perDevice, text(func(r *happened) string { return r.device.arch })},
		{"OSPlatform", value.String, perDevice, text(func(r *happened) string { return r.device.platform.name })},
		{"OSBuild", value.Long, perDevice, func(r *happened) value.Value {
			if r.device.platform.family != windows {
				return value.Null(value.Long)
			}
			return value.NewLong(int64(17000 + r.device.dice.at(ofInfoEvents, 39, 1<<22).n(9200)))
		}},
		{"IsAzureADJoined", value.Bool, perDevice, func(r *happened) value.Value {
			if r.device.platform.family == linux {
				return value.Null(value.Bool)
			}
			return value.NewBool(r.device.aadID != "")
		}},
		{"JoinType", value.String, perDevice, usual(40, "Hybrid Azure AD Join", "AAD Joined", "AAD Registered", "")},
		{"AadDeviceId", value.String, perDevice, text(func(r *happened) string { return r.device.aadID })},
		{"LoggedOnUsers", value.String, perRow, text((*happened).users)},
		{"RegistryDeviceTag", value.String, perDevice, usual(41, "", "", "VIP", "Büro \"Süd\"")},
		{"OSVersion", value.String, perDevice, usual(42, "10.0", "22H2", "24H2", "26.5.2.0")},
		{"MachineGroup", value.String, perDevice, usual(43, "UnassignedGroup", "Servers", "Zentrale – Köln", "研究所")},
		{"ReportId", value.Long, perRow, (*happened).report},
		{"OnboardingStatus", value.String, perDevice, usual(44, "Onboarded", "Onboarded", "Onboarded", "Can be onboarded")},
		{"AdditionalFields", value.String, perRow, additional},
		{"DeviceCategory", value.String, perDevice, usual(45, "Endpoint", "Endpoint", "NetworkDevice", "")},
		{"DeviceType", value.String, perDevice, usual(46, "Workstation", "Workstation", "Server", "Mobile")},
		{"DeviceSubtype", value.String, perDevice, usual(47, "", "Workstation", "Laptop")},
		{"Model", value.String, perDevice, usual(48, "", "Latitude 5540", "ThinkPad T14", "VMware7,1")},
		{"Vendor", value.String, perDevice, usual(49, "", "Dell Inc.", "LENOVO", "株式会社東芝")},
		{"OSDistribution", value.String, perDevice, usual(50, "Windows11", "Ubuntu", "macOS", "")},
		{"OSVersionInfo", value.String, perDevice, usual(51, "24H2", "22H2", "")},
		{"MergedDeviceIds", value.String, perRow, func(r *happened) value.Value {
			if !r.dice.at(ofText, 52, 0).permille(20) {
				return value.NewString("")
			}
			return value.NewString(`["` + r.device.dice.at(ofInfoEvents, 52, 1<<22).hex(40) + `"]`)
		}},
		{"MergedToDeviceId", value.String, perRow, nothing},
		{"IsInternetFacing", value.Bool, perRow, flag(53)},
		{"SensorHealthState", value.String, perRow, choice(54, "Active", "Active", "Active", "Inactive", "Misconfigured")},
		{"IsExcluded", value.Bool, perDevice, func(r *happened) value.Value {
			return value.NewBool(r.device.dice.at(ofInfoEvents, 55, 1<<22).permille(20))
		}},
		{"ExclusionReason", value.String, perRow, nothing},
		{"ExposureLevel", value.String, perRow, choice(56, "Low", "Medium", "High", "None")},
		{"AssetValue", value.String, perDevice, usual(57, "", "Normal", "High")},
		{"DeviceManualTags", value.String, perDevice, usual(58, "[]", `["präsentation"]`, `["a","b"]`, "")},
		{"DeviceDynamicTags", value.String, perDevice, usual(59, "[]", `["Rule: \"north\""]`, "")},
		{"ConnectivityType", value.String, perRow, choice(60, "Streamlined", "Standard", "")},
		{"HostDeviceId", value.String, perRow, nothing},
		{"AzureResourceId", value.String, perDevice, usual(61, "", "", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1")},
		{"AwsResourceName", value.String, perDevice, usual(62, "", "", "", "arn:aws:ec2:eu-central-1:123456789012:instance/i-0abc")},
		{"GcpFullResourceName", value.String, perDevice, nothing},
		{"HardwareUuid", value.String, perDevice, text(func(r *happened) string { return r.device.dice.at(ofInfoEvents, 63, 1<<22).guid() })},
		{"CloudPlatforms", value.String, perDevice, usual(64, "", "", `["Azure"]`, `["AWS","Arc"]`)},
		{"AzureVmId", value.String, perDevice, usual(65, "", "", "9f1c0c7e-1111-4222-8333-444455556666")},
		{"AzureVmSubscriptionId", value.String, perDevice, usual(66, "", "00000000-0000-0000-0000-000000000000")},
		{"IsTransient", value.Bool, perRow, flag(67)},
		{"OsBuildRevision", value.String, perRow, text(func(r *happened) string { return strconv.Itoa(400 + r.dice.at(ofText, 68, 0).n(4000)) })},
		{"MitigationStatus", value.String, perRow, choice(69, "", "", "", `{"isolated":true}`)},
		{"Site", value.String, perDevice, usual(70, "", "HQ", "São Paulo", "北海道")},
		{"DiscoverySources", value.String, perRow, choice(71, "", `["MDE"]`, `["MDE","IoT"]`)},
	},
}

// users is the accounts that are logged on, as JSON text.
func (r *happened) users() string {
	switch r.dice.at(ofText, 72, 0).n(12) {
	case 0:
		return ""
	case 1:
		return "[]"
	}
	b := []byte(`[{"UserName":`)
	b = value.NewString(r.account.name).AppendJSON(b)
	return fmt.Sprintf(`%s,"DomainName":"CONTOSO","Sid":%q}]`, b, r.account.sid)
}
