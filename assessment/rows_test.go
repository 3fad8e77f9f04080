package assessment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// taken gathers rows.
type taken struct{ keys, rows []string }

func (t *taken) WriteRow(key, row []byte) error {
	t.keys, t.rows = append(t.keys, string(key)), append(t.rows, string(row))
	return nil
}

func tableOf(t testing.TB, name string) tvmexport.Table {
	t.Helper()
	table, ok := catalog.Table(name)
	if !ok {
		t.Fatalf("the catalogue has no %s", name)
	}
	return table
}

func newTestRows(t testing.TB, table tvmexport.Table, w tvmexport.RowWriter) *rows {
	t.Helper()
	r, err := newRows(table, []byte("a key of sixteen or more"), w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func declared(r *rows) []tvmexport.Column { return append(r.published(), r.found()...) }

// read reads lines of rows.
func read(t testing.TB, table tvmexport.Table, lines string) (*rows, taken, error) {
	t.Helper()
	var got taken
	r := newTestRows(t, table, &got)
	err := readLines(wire.NewStreamSize(strings.NewReader(lines), 64), r)
	return r, got, err
}

const fileRow = `{"CveBatchTitle":"Contoso October 2026","CveId":"CVE-2025-10001","CvssScore":7.0,"DeviceId":"1f40","DeviceName":"srv-01.corp.example","ExploitabilityLevel":"NoExploit","FirstSeenTimestamp":"2026-10-01 09:00:00","Id":"1f40_contoso_agent_2.1.0.0_CVE-2025-10001","IsOnboarded":true,"LastSeenTimestamp":"2026-11-20 04:11:02.5000000","OSArchitecture":"x64","OSPlatform":"WindowsServer2022","OSVersion":"10.0.20348.2762","RbacGroupId":12,"RbacGroupName":"Servers","RecommendationReference":"va-_-contoso-_-agent","RegistryPaths":[],"SecurityUpdateAvailable":true,"SoftwareName":"agent","SoftwareVendor":"contoso","SoftwareVersion":"2.1.0.0","VulnerabilitySeverityLevel":"High"}`

const pageRow = `{"id":"1f40_contoso_agent_2.1.0.0_CVE-2025-10001","deviceId":"1f40","rbacGroupName":"Servers","rbacGroupId":"12","deviceName":"srv-01.corp.example","osPlatform":"WindowsServer2022","osVersion":"10.0.20348.2762","osArchitecture":"x64","softwareVendor":"contoso","softwareName":"agent","softwareVersion":"2.1.0.0","cveId":"CVE-2025-10001","vulnerabilitySeverityLevel":"High","recommendedSecurityUpdate":null,"recommendedSecurityUpdateId":null,"recommendedSecurityUpdateUrl":null,"diskPaths":[],"registryPaths":null,"lastSeenTimestamp":"2026-11-20 04:11:02.500","firstSeenTimestamp":"2026-10-01T09:00:00Z","exploitabilityLevel":"NoExploit","recommendationReference":"va-_-contoso-_-agent","cvssScore":7,"isOnboarded":"True","securityUpdateAvailable":true,"cveBatchTitle":"Contoso\u0020October 2026","cveBatchUrl":null,"newMember":null}`

const canonicalRow = `{"Id":"1f40_contoso_agent_2.1.0.0_CVE-2025-10001","DeviceId":"1f40","DeviceName":"srv-01.corp.example","OSPlatform":"WindowsServer2022","OSVersion":"10.0.20348.2762","OSArchitecture":"x64","SoftwareVendor":"contoso","SoftwareName":"agent","SoftwareVersion":"2.1.0.0","CveId":"CVE-2025-10001","VulnerabilitySeverityLevel":"High","CvssScore":7,"ExploitabilityLevel":"NoExploit","RecommendedSecurityUpdate":null,"RecommendedSecurityUpdateId":null,"RecommendationReference":"va-_-contoso-_-agent","SecurityUpdateAvailable":true,"FirstSeenTimestamp":"2026-10-01T09:00:00Z","LastSeenTimestamp":"2026-11-20T04:11:02.5Z","DiskPaths":[],"RegistryPaths":[],"RbacGroupId":12,"RbacGroupName":"Servers","RecommendedSecurityUpdateUrl":null,"IsOnboarded":true,"CveBatchTitle":"Contoso October 2026","CveBatchUrl":null}`

// A row is the same, whether it came in a file or in a page.
func TestBothFormsOfARow(t *testing.T) {
	table := tableOf(t, "TvmSoftwareVulnerabilities")
	r, got, err := read(t, table, fileRow+"\n"+pageRow+"\n"+fileRow)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{canonicalRow, canonicalRow, canonicalRow}, got.rows); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"1f40", "1f40", "1f40"}, got.keys); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(table.Columns, declared(r)); d != "" || r.unread() != nil {
		t.Error(d, r.unread())
	}
}

// Members in other forms, one table and row each: what is published of them.
func TestValues(t *testing.T) {
	for _, tt := range []struct {
		table, row, member string
		misfits            int64
	}{
		{"TvmCertificates", `{"keySize":2048}`, `"KeyLength":2048`, 0},
		{"TvmCertificates", `{"KeySize":"2048"}`, `"KeyLength":2048`, 0},
		{"TvmCertificates", `{"keyLength":2048,"KeySize":1024}`, `"KeyLength":2048`, 0},
		{"TvmCertificates", `{"KeySize":1024,"keyLength":2048}`, `"KeyLength":2048`, 0},
		{"TvmCertificates", `{"KeySize":1024,"keyLength":null}`, `"KeyLength":1024`, 0},
		{"TvmCertificates", `{"keyLength":"many"}`, `"KeyLength":"many"`, 1},
		{"TvmCertificates", `{"keyLength":7.5}`, `"KeyLength":"7.5"`, 1},
		{"TvmCertificates", `{"keyLength":{}}`, `"KeyLength":"{}"`, 1},
		{"TvmCertificates", `{"keyLength":99999999999}`, `"KeyLength":"99999999999"`, 1},
		{"TvmCertificates", `{"notBefore":"0001-01-01T00:00:00Z"}`, `"NotBefore":null`, 0},
		{"TvmCertificates", `{"IssueDate":"0001-01-01 00:00:00.000"}`, `"NotBefore":null`, 0},
		{"TvmCertificates", `{"ExpirationDate":"2031-02-28 23:59:59"}`, `"NotAfter":"2031-02-28T23:59:59Z"`, 0},
		{"TvmCertificates", `{"ExpirationDate":"2031-02-29 23:59:59"}`, `"NotAfter":"2031-02-29 23:59:59"`, 1},
		{"TvmCertificates", `{"ExpirationDate":"2028-02-29"}`, `"NotAfter":"2028-02-29T00:00:00Z"`, 0},
		{"TvmCertificates", `{"ExpirationDate":""}`, `"NotAfter":null`, 0},
		{"TvmCertificates", `{"ExpirationDate":17}`, `"NotAfter":"17"`, 1},
		{"TvmCertificates", `{"IssuedTo":{"CN":"a","O":[1.0]}}`, `"SubjectObject":{"CN":"a","O":[1]}`, 0},
		{"TvmCertificates", `{"issuedTo":"{\"CN\":\"a\"}"}`, `"SubjectObject":"{\"CN\":\"a\"}"`, 0},
		{"TvmCertificates", `{"issuedTo":""}`, `"SubjectObject":null`, 0},
		{"TvmCertificates", `{"keyUsage":"Digital Signature"}`, `"KeyUsageArray":"Digital Signature"`, 0},
		{"TvmCertificates", `{"keyUsage":"[oops"}`, `"KeyUsageArray":"[oops"`, 0},
		{"TvmCertificates", `{"extendedKeyUsageArray":[]}`, `"ExtendedKeyUsageArray":[]`, 0},
		{"TvmCertificates", `{"isSelfSigned":"false"}`, `"IsSelfSigned":false`, 0},
		{"TvmCertificates", `{"isSelfSigned":1}`, `"IsSelfSigned":true`, 0},
		{"TvmCertificates", `{"isSelfSigned":"perhaps"}`, `"IsSelfSigned":"perhaps"`, 1},
		{"TvmCertificates", `{"subjectType":17}`, `"SubjectType":"17"`, 0},
		{"TvmInformationGathering", `{"OsPlatform":"Linux"}`, `"OSPlatform":"Linux"`, 0},
		{"TvmInformationGathering", `{"OSPlatform":"Linux"}`, `"OSPlatform":"Linux"`, 0},
		{"TvmInformationGathering", `{"DeviceGatheredInfo":"{\"AvIsEngineUptodate\":\"True\",\"AvIsEngineUpToDate\":null}"}`, `"DeviceGatheredInfo":{"AvIsEngineUptodate":"True","AvIsEngineUpToDate":null}`, 0},
		{"TvmInformationGathering", `{"DeviceGatheredInfo":{"a":"0"}}`, `"DeviceGatheredInfo":{"a":"0"}`, 0},
		{"TvmInformationGathering", `{"DeviceGatheredInfo":" "}`, `"DeviceGatheredInfo":null`, 0},
		{"TvmHardwareFirmware", `{"additionalFields":"{\"a\":\"\\u00e9\"}"}`, `"AdditionalFields":{"a":"é"}`, 0},
		{"TvmHardwareFirmware", `{"additionalFields":"{\"a\":1,\"a\":2}"}`, `"AdditionalFields":"{\"a\":1,\"a\":2}"`, 1},
		{"TvmBrowserExtensions", `{"Permissions":[{"Id":"x","IsRequired":true,"Risk":"Low"}]}`, `"Permissions":[{"Id":"x","IsRequired":true,"Risk":"Low"}]`, 0},
		{"TvmBrowserExtensions", `{"InstallationTime":"2022-05-26T18:46:27.000Z"}`, `"InstallationTime":"2022-05-26T18:46:27Z"`, 0},
		{"TvmSecureConfigurations", `{"configurationImpact":"9"}`, `"ConfigurationImpact":9`, 0},
		{"TvmSecureConfigurations", `{"configurationImpact":9.50}`, `"ConfigurationImpact":9.5`, 0},
		{"TvmSecureConfigurations", `{"configurationImpact":"NaN"}`, `"ConfigurationImpact":"NaN"`, 0},
		{"TvmSecureConfigurations", `{"configurationSubcategory":""}`, `"ConfigurationSubcategory":""`, 0},
		{"TvmSecureConfigurations", `{"configurationName":"\ud800 \u0041"}`, "\"ConfigurationName\":\"\ufffd A\"", 0},
		{"TvmSecureConfigurations", "{\"configurationName\":\"\xff\"}", "\"ConfigurationName\":\"\ufffd\"", 0},
		{"TvmSoftwareInventory", `{"endOfSupportDate":"2021-05-11T02:00:00+02:00"}`, `"EndOfSupportDate":"2021-05-11T00:00:00Z"`, 0},
		{"TvmSoftwareInventory", `{"endOfSupportDate":"2021-05-11 00:00:00.1230000"}`, `"EndOfSupportDate":"2021-05-11T00:00:00.123Z"`, 0},
		{"TvmSoftwareInventory", `{"status":"New","eventTimestamp":"2026-11-20 06:00:00"}`, `"RbacGroupName":null,"EventTimestamp":"2026-11-20 06:00:00","Status":"New"}`, 0},
		{"TvmSoftwareInventory", `{"zeta":[1.0],"alpha":7.10,"beta":null}`, `"RbacGroupName":null,"Alpha":7.1,"Zeta":[1]}`, 0},
		{"TvmSoftwareInventory", `{"\u0064eviceName":"a"}`, `"DeviceName":"a"`, 0},
	} {
		r, got, err := read(t, tableOf(t, tt.table), tt.row)
		if err != nil || len(got.rows) != 1 {
			t.Errorf("%s: %d rows, %v", tt.row, len(got.rows), err)
			continue
		}
		if n := tvmexport.UnreadValues(r.unread()); n != tt.misfits || !strings.Contains(got.rows[0], tt.member) {
			t.Errorf("%s: %d misfits and not %s:\n%s", tt.row, n, tt.member, got.rows[0])
		}
	}
}

func TestUnknownMembersAreDeclared(t *testing.T) {
	r, _, err := read(t, tableOf(t, "TvmHardwareFirmware"),
		`{"deviceId":"a","later":null,"text":"x","number":7,"flag":true,"bag":{},"mixed":1}{"deviceId":"b","number":7.5,"mixed":"x"}`)
	if err != nil {
		t.Fatal(err)
	}
	table := tableOf(t, "TvmHardwareFirmware")
	want := append(table.Columns, tvmexport.Column{Name: "Bag", Type: "dynamic"}, tvmexport.Column{Name: "Flag", Type: "bool"},
		tvmexport.Column{Name: "Mixed", Type: "dynamic"}, tvmexport.Column{Name: "Number", Type: "real"}, tvmexport.Column{Name: "Text", Type: "string"})
	if d := cmp.Diff(want, declared(r)); d != "" {
		t.Error(d)
	}
}

// A policy hides columns and replaces values, and the key of a row stays.
func TestPolicy(t *testing.T) {
	table, err := tableOf(t, "TvmHardwareFirmware").WithPolicy(tvmexport.ColumnPolicy{
		Exclude: []string{"DeviceId", "AdditionalFields", "New"}, Pseudonymise: []string{"DeviceName", "Other"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, got, err := read(t, table, `{"deviceId":"a1","deviceName":"srv","new":1,"other":"x"}`+`{"DeviceId":"a2","DeviceName":"s\u0072v"}`+`{"DeviceId":"a3","DeviceName":""}`)
	if err != nil {
		t.Fatal(err)
	}
	name := func(row string) string {
		from := strings.Index(row, `"DeviceName":`)
		return row[from:strings.Index(row, `,"ComponentType"`)]
	}
	if d := cmp.Diff([]string{"a1", "a2", "a3"}, got.keys); d != "" {
		t.Error(d)
	}
	all := strings.Join(got.rows, "\n")
	for _, gone := range []string{`"DeviceId"`, `AdditionalFields`, `"New"`, `srv`, `"x"`} {
		if strings.Contains(all, gone) {
			t.Errorf("the rows have %s:\n%s", gone, all)
		}
	}
	if name(got.rows[0]) != name(got.rows[1]) || len(name(got.rows[0])) != len(`"DeviceName":""`)+64 || name(got.rows[2]) != `"DeviceName":""` {
		t.Errorf("the names are %s, %s and %s", name(got.rows[0]), name(got.rows[1]), name(got.rows[2]))
	}
	for _, c := range declared(r) {
		if c.Name == "DeviceId" || c.Name == "AdditionalFields" || c.Name == "New" {
			t.Errorf("the hidden column %s is declared", c.Name)
		}
	}
}

func TestRowsThatAreNone(t *testing.T) {
	for _, text := range []string{`[]`, `7`, `{"a":1`, `{"a":1}}`, `{"a":1},{"a":2}`, `{"deviceId":"a","DeviceId":"b"}`, `{"a":01}`, `{"a":1}x`, `null`} {
		if _, got, err := read(t, tableOf(t, "TvmHardwareFirmware"), text); err == nil {
			t.Errorf("%s is read as %v", text, got.rows)
		} else if strings.Contains(err.Error(), `"b"`) {
			t.Errorf("%s: the error quotes data: %v", text, err)
		}
	}
}
