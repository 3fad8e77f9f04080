package assessment

import (
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// set is a data set with its calls. Paths are in lower case: the service ignores the case.
type set struct {
	name    string // of the tenant's data set
	page    string // of the documentation, below learn.microsoft.com/defender-endpoint/api/
	json    string // the last element of the path of pages; "" if there are none
	files   string // the same of files
	role    string // application permission
	folder  string // of its files
	context string // type in the context of an answer
	form    form
	sas     validity
}

// validity is how long the addresses of files are valid, and how long a request may ask for.
type validity struct {
	usual, most time.Duration // most is 0 where a request cannot ask
}

// The pages differ in what they say of sasValidHours.
var (
	upToSix    = validity{time.Hour, 6 * time.Hour}
	upToADay   = validity{3 * time.Hour, 24 * time.Hour}
	alwaysHour = validity{usual: time.Hour}
)

const (
	vulnerabilityRole = "Vulnerability.Read.All"
	softwareRole      = "Software.Read.All"
	baselineRole      = "SecurityBaselinesAssessment.Read.All"
)

// sets are the data sets that can be read whole.
var sets = []set{
	{
		name: "TvmSoftwareVulnerabilities", page: "get-assessment-software-vulnerabilities",
		json: "softwarevulnerabilitiesbymachine", files: "softwarevulnerabilitiesexport",
		role: vulnerabilityRole, folder: "VaExport", context: "AssetVulnerability", sas: upToSix,
		form: form{omitted: []string{"DiskPaths"}},
	},
	{
		name: "TvmSoftwareInventory", page: "get-assessment-software-inventory",
		json: "softwareinventorybymachine", files: "softwareinventoryexport",
		role: softwareRole, folder: "SoftwareInventory", context: "AssetSoftware", sas: upToSix,
		form: form{zoned: []string{"EndOfSupportDate"}},
	},
	{
		name: "TvmSoftwareInventoryNonCpe", page: "get-assessment-non-cpe-software-inventory",
		json: "softwareinventorynoproductcodebymachine", files: "softwareinventorynoncpeexport",
		role: softwareRole, folder: "NonCpeSoftwareInventory", context: "AssetNonCpeSoftware", sas: upToADay,
	},
	{
		name: "TvmSecureConfigurations", page: "get-assessment-secure-config",
		json: "secureconfigurationsassessmentbymachine", files: "secureconfigurationsassessmentexport",
		role: vulnerabilityRole, folder: "ScaExport", context: "AssetConfiguration", sas: upToSix,
	},
	{
		name: "TvmBrowserExtensions", page: "get-assessment-browser-extensions",
		json: "browserextensionsinventorybymachine", files: "browserextensionsinventoryexport",
		role: softwareRole, folder: "BrowserExtensions", context: "AssetSoftware", sas: alwaysHour,
		form: form{pascal: true, iso: true},
	},
	{
		name: "TvmCertificates", page: "export-certificate-inventory-assessment",
		json: "certificateassessmentbymachine", files: "certificateassessmentexport",
		role: vulnerabilityRole, folder: "CertificateAssessmentExport", context: "AssetCertificateAssessment", sas: upToADay,
		form: form{iso: true},
	},
	{
		name: "TvmHardwareFirmware", page: "export-firmware-hardware-assessment",
		json: "hardwarefirmwareinventorybymachine", files: "hardwarefirmwareinventoryexport",
		role: softwareRole, folder: "FirmwareHardwareExport", context: "AssetHardwareFirmware", sas: alwaysHour,
	},
	{
		name: "TvmBaselineCompliance", page: "export-security-baseline-assessment",
		json: "baselinecomplianceassessmentbymachine", files: "baselinecomplianceassessmentexport",
		role: baselineRole, folder: "BaselineAssessmentExport", context: "AssetBaselineAssessment", sas: upToSix,
		form: form{iso: true},
	},
	{
		name: "TvmInformationGathering", page: "get-assessment-information-gathering",
		files: "infogatheringexport",
		role:  vulnerabilityRole, folder: "InfoGatheringExport", context: "AssetInfoGathering", sas: upToSix,
	},
}

// changes is the data set of what happened to vulnerabilities. It has pages only.
var changes = set{
	name: tenant.Changes, page: "get-assessment-software-vulnerabilities",
	json: "softwarevulnerabilitychangesbymachine", role: vulnerabilityRole, context: "DeltaAssetVulnerability",
}

// Roles are the application permissions of all calls.
func Roles() []string { return []string{vulnerabilityRole, softwareRole, baselineRole} }

// root is what the paths of all calls begin with.
const root = "/api/machines/"

// Serves says whether a path is one of a call.
func Serves(path string) bool {
	_, _, ok := find(path)
	return ok
}

// find is the data set of a path, and whether the path is that of its files.
func find(path string) (s set, files, ok bool) {
	last, ok := strings.CutPrefix(strings.ToLower(path), root)
	if !ok {
		return set{}, false, false
	}
	for _, s := range append(sets, changes) {
		switch last {
		case s.json:
			return s, false, true
		case s.files:
			return s, true, s.files != ""
		}
	}
	return set{}, false, false
}

// setOfFolder is the data set whose files are in a folder.
func setOfFolder(folder string) (set, bool) {
	for _, s := range sets {
		if s.folder == folder {
			return s, true
		}
	}
	return set{}, false
}
