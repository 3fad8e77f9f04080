package tenant_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// keys are the natural keys of the tables of current state.
var keys = map[string][]string{
	"DeviceBaselineComplianceAssessment":       {"DeviceId", "ProfileId", "ConfigurationId"},
	"DeviceBaselineComplianceAssessmentKB":     {"ConfigurationId"},
	"DeviceBaselineComplianceProfiles":         {"ProfileId"},
	"DeviceTvmBrowserExtensions":               {"DeviceId", "BrowserName", "ExtensionId"},
	"DeviceTvmBrowserExtensionsKB":             {"BrowserName", "ExtensionId", "PermissionId"},
	"DeviceTvmCertificateInfo":                 {"DeviceId", "Thumbprint", "Path"},
	"DeviceTvmHardwareFirmware":                {"DeviceId", "ComponentType", "ComponentName"},
	"DeviceTvmInfoGathering":                   {"DeviceId"},
	"DeviceTvmInfoGatheringKB":                 {"IgId"},
	"DeviceTvmSecureConfigurationAssessment":   {"DeviceId", "ConfigurationId"},
	"DeviceTvmSecureConfigurationAssessmentKB": {"ConfigurationId"},
	"DeviceTvmSoftwareEvidenceBeta":            {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion"},
	"DeviceTvmSoftwareInventory":               {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion"},
	"DeviceTvmSoftwareVulnerabilities":         {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "CveId"},
}

// No two rows have the same key, except for a few that are completely equal.
func TestKeys(t *testing.T) {
	x := tenant.New(options(140, 19))
	for range 2 {
		for name, key := range keys {
			r := relation(t, x.Catalog(), name)
			var at []int
			for _, k := range key {
				at = append(at, columnAt(t, r, k))
			}
			rows := map[string]string{}
			total, twice := 0, 0
			for row := range r.Scan(t.Context(), kql.Request{}) {
				var k strings.Builder
				for _, i := range at {
					k.WriteString(row[i].Text() + "\x00")
				}
				total++
				switch known, ok := rows[k.String()]; {
				case !ok:
					rows[k.String()] = line(row)
				case known == line(row):
					twice++
				default:
					t.Fatalf("%s: two rows of %q:\n%s\n%s", name, k.String(), known, line(row))
				}
			}
			if byID := key[0] == "DeviceId"; byID && (twice == 0 && name != "DeviceBaselineComplianceAssessment" || twice > max(3, total/20)) {
				t.Errorf("%s: %d of %d rows are there twice", name, twice, total)
			}
		}
		x.Advance(10)
	}
}

func TestDeviceIDs(t *testing.T) {
	usual := regexp.MustCompile(`^[0-9a-f]{40}$`)
	c := tenant.New(known(90, 23)).Catalog()
	for _, name := range append(slices.Clone(byDevice), eventTables...) {
		var odd []string
		all := ids(t, c, name, "DeviceId")
		order := read(t, c, name, kql.Request{Need: []bool{true, true, true}})
		if slices.IsSorted(order) {
			t.Errorf("%s: the rows are sorted", name)
		}
		for id := range all {
			if !usual.MatchString(id) {
				odd = append(odd, id)
			}
		}
		slices.Sort(odd)
		if len(odd) != 3 || odd[0] != "" {
			t.Errorf("%s: odd ids %q, want the empty one and two more", name, odd)
		}
		// Baselines, browsers and gathered facts are not every device's.
		if len(all) < 90 && !slices.Contains([]string{"DeviceBaselineComplianceAssessment", "DeviceTvmBrowserExtensions", "DeviceTvmInfoGathering"}, name) {
			t.Errorf("%s: %d devices, want 90 and more", name, len(all))
		}
	}
}

// The averages per device are those of a real tenant at every size, and a few
// devices have ten times as much.
func TestSizes(t *testing.T) {
	catalogs := map[int]kql.Catalog{}
	for _, devices := range []int{200, 1000} {
		catalogs[devices] = tenant.New(documented(devices, 29)).Catalog()
	}
	for _, test := range []struct {
		name        string
		least, most int // rows a device
	}{
		{vulnerabilities, 210, 310},
		{"DeviceTvmSoftwareInventory", 58, 80},
		{assessment, 85, 120},
		{"DeviceTvmHardwareFirmware", 7, 14},
		{"DeviceTvmBrowserExtensions", 4, 9},
		{"DeviceTvmCertificateInfo", 11, 19},
		{"DeviceTvmInfoGathering", 0, 1},
		{"DeviceBaselineComplianceAssessment", 20, 70},
	} {
		for devices, c := range catalogs {
			rows := ids(t, c, test.name, "DeviceId")
			total, heavy := 0, 0
			for _, n := range rows {
				total += n
			}
			if got := total / devices; got < test.least || got > test.most {
				t.Errorf("%s of %d devices: %d rows each, want %d to %d", test.name, devices, got, test.least, test.most)
			}
			for _, n := range rows {
				if n > 5*total/devices {
					heavy++
				}
			}
			if test.name == vulnerabilities && (heavy*1000 < 5*devices || heavy*1000 > 30*devices) {
				t.Errorf("%d of %d devices have more than five times the usual rows, want 1 to 2 %%", heavy, devices)
			}
		}
	}
}

// Few programs are on nearly every device, and most on hardly any.
func TestSkew(t *testing.T) {
	c := tenant.New(options(1000, 31)).Catalog()
	on := map[string]map[string]bool{}
	for row := range relation(t, c, "DeviceTvmSoftwareInventory").Scan(t.Context(), kql.Request{}) {
		name := row[6].Text()
		if on[name] == nil {
			on[name] = map[string]bool{}
		}
		on[name][row[0].Text()] = true
	}
	common, rare := 0, 0
	for _, devices := range on {
		switch n := len(devices); {
		case n > 800:
			common++
		case n < 50:
			rare++
		}
	}
	if common < 2 || common > 30 || rare < 1000 {
		t.Errorf("%d of %d programs on more than 80 %% of the devices, %d on less than 5 %%", common, len(on), rare)
	}
}

// longWithin is a slot with a whole number that no float64 holds.
var longWithin = regexp.MustCompile(`:[0-9]{15,}[13579][,}]`)

// features are what breaks exporters; the tables together must show each.
func TestFeatures(t *testing.T) {
	jsonText := func(v value.Value) bool {
		return strings.HasPrefix(v.Text(), "{\"") && json.Valid([]byte(v.Text()))
	}
	features := map[string]func(name string, v value.Value) bool{
		"a null datetime":  func(_ string, v value.Value) bool { return v.Kind() == value.DateTime && v.IsNull() },
		"a null bool":      func(_ string, v value.Value) bool { return v.Kind() == value.Bool && v.IsNull() },
		"a null real":      func(_ string, v value.Value) bool { return v.Kind() == value.Real && v.IsNull() },
		"a null long":      func(_ string, v value.Value) bool { return v.Kind() == value.Long && v.IsNull() },
		"a null int":       func(_ string, v value.Value) bool { return v.Kind() == value.Int && v.IsNull() },
		"a null dynamic":   func(_ string, v value.Value) bool { return v.Kind() == value.Dynamic && v.IsNull() },
		"an empty bag":     func(_ string, v value.Value) bool { n, ok := v.Len(); return ok && n == 0 && v.IsBag() },
		"an empty array":   func(_ string, v value.Value) bool { n, ok := v.Len(); return ok && n == 0 && v.IsArray() },
		"an array of bags": func(_ string, v value.Value) bool { e, ok := v.Index(0); return ok && e.IsBag() },
		"a nested array":   func(_ string, v value.Value) bool { e, ok := v.Index(0); return ok && e.IsArray() },
		"a dynamic string": func(_ string, v value.Value) bool { s, ok := v.Scalar(); return ok && s.Kind() == value.String },
		"JSON text":        func(_ string, v value.Value) bool { return v.Kind() == value.String && jsonText(v) },
		"JSON text within": func(_ string, v value.Value) bool { e, ok := v.Index(0); return ok && jsonText(e) },
		"a date within": func(_ string, v value.Value) bool {
			return v.Kind() == value.Dynamic && strings.Contains(v.String(), ":00Z\"")
		},
		"a long within":      func(_ string, v value.Value) bool { return v.IsBag() && longWithin.MatchString(v.String()) },
		"a null within":      func(_ string, v value.Value) bool { return v.IsBag() && strings.Contains(v.String(), ":null") },
		"an empty string":    func(_ string, v value.Value) bool { return v.Kind() == value.String && v.Text() == "" },
		"an emoji":           func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), '🖥') },
		"right to left":      func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), 'م') },
		"a combining accent": func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), '\u0301') },
		"a line separator":   func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), '\u2028') },
		"a tab":              func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), '\t') },
		"a quote":            func(_ string, v value.Value) bool { return strings.ContainsRune(v.Text(), '"') },
		"seven digits":       func(_ string, v value.Value) bool { return v.Kind() == value.DateTime && v.Ticks()%10 != 0 },
		"a whole second": func(_ string, v value.Value) bool {
			return v.Kind() == value.DateTime && !v.IsNull() && v.Ticks()%1e7 == 0
		},
		"a whole millisecond": func(_ string, v value.Value) bool {
			return v.Kind() == value.DateTime && v.Ticks()%1e7 != 0 && v.Ticks()%1e4 == 0
		},
		"a whole real":    func(_ string, v value.Value) bool { return v.Kind() == value.Real && !v.IsNull() && v.Real() == 5 },
		"a real fraction": func(_ string, v value.Value) bool { return v.Kind() == value.Real && v.Real() == 5.5 },
	}
	c := tenant.New(options(400, 1)).Catalog()
tables:
	for _, name := range tenant.TableNames() {
		n := 0
		for row := range relation(t, c, name).Scan(t.Context(), kql.Request{}) {
			if n++; n == 20_000 {
				break
			}
			for feature, shows := range features {
				if slices.ContainsFunc(row, func(v value.Value) bool { return shows(name, v) }) {
					delete(features, feature)
				}
			}
			if len(features) == 0 {
				break tables
			}
		}
	}
	for feature := range features {
		t.Errorf("no value shows %s", feature)
	}
}

// A vulnerability is about as long as a real one.
func TestRowSize(t *testing.T) {
	r := relation(t, tenant.New(documented(300, 1)).Catalog(), vulnerabilities)
	rows, bytes := 0, 0
	for row := range r.Scan(t.Context(), kql.Request{}) {
		rows++
		for i, c := range r.Columns() {
			bytes += len(c.Name) + len(`"":,`) + len(row[i].AppendJSON(nil))
		}
	}
	if got := bytes / rows; got < 400 || got > 500 {
		t.Errorf("a row has %d bytes of JSON, want 400 to 500", got)
	}
}
