package assessment

import (
	"maps"
	"slices"
)

// set says how the data of a table is called for. The pages that document the calls
// are in catalog.Info.Docs.
type set struct {
	pages string // last element of the path of pages; "" if there are none
	files string // the same of the call that lists files
	hours int    // how long links of files are asked to be valid; 0: the call takes no such parameter
	// names are other names of members, in lower case, by which some answers or pages
	// of the documentation call a column.
	names map[string]string
}

// Two pages say that links are valid for up to 24 hours, the others up to 6. What is
// asked for is allowed by both.
const sixHours = 6

var sets = map[string]set{
	"TvmSoftwareVulnerabilities":      {pages: "SoftwareVulnerabilitiesByMachine", files: "SoftwareVulnerabilitiesExport", hours: sixHours},
	"TvmSoftwareVulnerabilityChanges": {pages: "SoftwareVulnerabilityChangesByMachine"},
	"TvmSoftwareInventory":            {pages: "SoftwareInventoryByMachine", files: "SoftwareInventoryExport", hours: sixHours},
	"TvmSoftwareInventoryNonCpe":      {pages: "SoftwareInventoryNoProductCodeByMachine", files: "SoftwareInventoryNonCpeExport", hours: sixHours},
	"TvmSecureConfigurations":         {pages: "SecureConfigurationsAssessmentByMachine", files: "SecureConfigurationsAssessmentExport", hours: sixHours},
	"TvmBrowserExtensions":            {pages: "BrowserExtensionsInventoryByMachine", files: "browserextensionsinventoryExport"},
	"TvmCertificates": {
		pages: "certificateAssessmentByMachine", files: "certificateAssessmentExport", hours: sixHours,
		names: map[string]string{
			"keysize": "KeyLength", "expirationdate": "NotAfter", "issuedate": "NotBefore",
			"issuedto": "SubjectObject", "issuedby": "IssuerObject", "keyusage": "KeyUsageArray", "extendedkeyusage": "ExtendedKeyUsageArray",
		},
	},
	"TvmHardwareFirmware":     {pages: "HardwareFirmwareInventoryByMachine", files: "HardwareFirmwareInventoryExport"},
	"TvmBaselineCompliance":   {pages: "baselineComplianceAssessmentByMachine", files: "BaselineComplianceAssessmentExport", hours: sixHours},
	"TvmInformationGathering": {files: "InfoGatheringExport", hours: sixHours},
}

// lists are columns that one form leaves out where the other has an empty list.
var lists = []string{"DiskPaths", "RegistryPaths"}

// texts are dynamic columns that come as JSON text.
var texts = []string{"AdditionalFields", "DeviceGatheredInfo"}

// Tables is the tables that a Client reads, sorted.
func Tables() []string { return slices.Sorted(maps.Keys(sets)) }
