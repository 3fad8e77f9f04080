package emulator_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// morning is a clock that stands still, an hour after a snapshot.
func morning() time.Time { return time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC) }

// exportCalls are the calls of each data set, spelled as on the pages.
var exportCalls = []struct{ set, pages, files string }{
	{"TvmSoftwareVulnerabilities", "/api/machines/SoftwareVulnerabilitiesByMachine", "/api/machines/SoftwareVulnerabilitiesExport"},
	{"TvmSoftwareInventory", "/api/machines/SoftwareInventoryByMachine", "/api/machines/SoftwareInventoryExport"},
	{"TvmSoftwareInventoryNonCpe", "/api/machines/SoftwareInventoryNoProductCodeByMachine", "/api/machines/SoftwareInventoryNonCpeExport"},
	{"TvmSecureConfigurations", "/api/machines/SecureConfigurationsAssessmentByMachine", "/api/machines/SecureConfigurationsAssessmentExport"},
	{"TvmBrowserExtensions", "/api/Machines/BrowserExtensionsInventoryByMachine", "/api/machines/browserextensionsinventoryExport"},
	{"TvmCertificates", "/api/machines/certificateAssessmentByMachine", "/api/machines/certificateAssessmentExport"},
	{"TvmHardwareFirmware", "/api/machines/HardwareFirmwareInventoryByMachine", "/api/machines/HardwareFirmwareInventoryExport"},
	{"TvmBaselineCompliance", "/api/machines/baselineComplianceAssessmentByMachine", "/api/machines/BaselineComplianceAssessmentExport"},
	{"TvmInformationGathering", "", "/api/Machines/InfoGatheringExport"},
	{"TvmSoftwareVulnerabilityChanges", "/api/machines/SoftwareVulnerabilityChangesByMachine?sinceTime=2020-01-01", ""},
}

// exportClient reads the export APIs as a program would that knows the pages only.
type exportClient struct {
	program
	bearer string
}

func newExportClient(p program) exportClient {
	return exportClient{p, p.token("https://api.securitycenter.microsoft.com/.default")}
}

func (c exportClient) call(address string) (int, http.Header, []byte) {
	c.t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body.Bytes()
}

type exportPage struct {
	Value []map[string]any
	Next  string `json:"@odata.nextLink"`
}

func (c exportClient) page(address string) exportPage {
	c.t.Helper()
	status, _, body := c.call(address)
	var p exportPage
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&p); err != nil || status != 200 {
		c.t.Fatalf("%s: %d %.300s: %v", address, status, body, err)
	}
	return p
}

// walk reads all pages; between the first two it calls meanwhile.
func (c exportClient) walk(address string, meanwhile func()) (rows []map[string]any, pages int) {
	c.t.Helper()
	for address != "" {
		p := c.page(address)
		rows = append(rows, p.Value...)
		if pages++; pages == 1 && meanwhile != nil {
			meanwhile()
		}
		address = p.Next
	}
	return rows, pages
}

type exportList struct {
	Files     []string `json:"exportFiles"`
	Generated string   `json:"generatedTime"`
}

func (c exportClient) list(address string) exportList {
	c.t.Helper()
	status, _, body := c.call(address)
	var l exportList
	if err := json.Unmarshal(body, &l); err != nil || status != 200 {
		c.t.Fatalf("%s: %d %s: %v", address, status, body, err)
	}
	return l
}

// file reads a file; an empty one has no rows.
func (c exportClient) file(address string) (rows []map[string]any) {
	c.t.Helper()
	status, body := c.get(address)
	if status != 200 {
		c.t.Fatalf("%d %s", status, body)
	}
	if len(body) == 0 {
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row map[string]any
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			c.t.Fatalf("%.200s: %v", lines.Bytes(), err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		c.t.Fatal(err)
	}
	return rows
}

// normalised are rows of either form as sorted texts: names in lower case, without what is
// empty, times without their form.
func normalised(rows []map[string]any) []string {
	var all []string
	for _, row := range rows {
		var fields []string
		for name, v := range row {
			list, array := v.([]any)
			if v == nil || v == "" || array && len(list) == 0 {
				continue
			}
			text := fmt.Sprint(v)
			if s, ok := v.(string); ok {
				for _, layout := range []string{"2006-01-02 15:04:05.9999999", time.RFC3339Nano} {
					if at, err := time.Parse(layout, s); err == nil {
						text = at.UTC().Format(time.RFC3339Nano)
					}
				}
			} else if j, err := json.Marshal(v); err == nil {
				text = string(j)
			}
			fields = append(fields, strings.ToLower(name)+"="+text)
		}
		slices.Sort(fields)
		all = append(all, strings.Join(fields, " "))
	}
	slices.Sort(all)
	return all
}

// truthOf are the rows of a data set as the control API tells them.
func truthOf(t *testing.T, s emulator.State, set string) []string {
	t.Helper()
	answer, err := s.Query(context.Background(), set)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	for _, r := range answer.Rows {
		row := map[string]any{}
		for i, name := range answer.Columns {
			d := json.NewDecoder(bytes.NewReader(r[i]))
			d.UseNumber()
			var v any
			if err := d.Decode(&v); err != nil {
				t.Fatal(err)
			}
			row[name] = v
		}
		rows = append(rows, row)
	}
	return normalised(rows)
}

// Pages and files have the rows of the truth, also while the tenant goes on.
func TestExportsAreTheTruth(t *testing.T) {
	quota := emulator.NoQuota()
	e, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Quota: &quota, ChangeRate: 0.5, Now: morning})
	c := newExportClient(p)
	e.Tenant().AdvanceHours(12)
	for _, call := range exportCalls {
		t.Run(call.set, func(t *testing.T) {
			c.t = t
			before := e.State()
			want := truthOf(t, before, call.set)
			if len(want) == 0 {
				t.Fatal("the truth has no rows")
			}
			if call.pages != "" {
				separator := "?"
				if strings.Contains(call.pages, "?") {
					separator = "&"
				}
				address := strings.Replace(p.at.XDR+call.pages, "2020-01-01", ago(e, 13*24*time.Hour), 1)
				size := max(1, len(want)/3)
				rows, pages := c.walk(fmt.Sprintf("%s%spageSize=%d", address, separator, size), func() { e.Tenant().AdvanceHours(6) })
				if d := cmp.Diff(want, normalised(rows)); d != "" {
					t.Errorf("the pages differ from the truth:\n%.1500s", d)
				}
				if pages < 3 {
					t.Errorf("%d pages of %d rows", pages, size)
				}
			}
			if call.files != "" {
				want = truthOf(t, e.State(), call.set)
				list := c.list(p.at.MDE + call.files)
				e.Tenant().AdvanceHours(6)
				var rows []map[string]any
				for _, f := range list.Files {
					rows = append(rows, c.file(f)...)
				}
				if d := cmp.Diff(want, normalised(rows)); d != "" {
					t.Errorf("the files differ from the truth:\n%.1500s", d)
				}
			}
		})
	}
}

// ago is a time before the tenant's, as a parameter.
func ago(e *emulator.Emulator, d time.Duration) string {
	return url.QueryEscape(e.Tenant().Now().Add(-d).Format("2006-01-02T15:04:05.000Z"))
}

// The two forms of a row, their spellings and their times.
func TestExportRowForms(t *testing.T) {
	quota := emulator.NoQuota()
	_, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Quota: &quota, Now: morning})
	c := newExportClient(p)
	members := func(rows []map[string]any) map[string]bool {
		all := map[string]bool{}
		for _, row := range rows {
			for name := range row {
				all[name] = true
			}
		}
		return all
	}
	rows, _ := c.walk(p.at.XDR+"/api/machines/SoftwareVulnerabilitiesByMachine", nil)
	page := members(rows)
	for _, name := range []string{"id", "deviceId", "osPlatform", "osVersion", "osArchitecture", "cveId", "cvssScore", "diskPaths", "rbacGroupId", "lastSeenTimestamp"} {
		if !page[name] {
			t.Errorf("a page has no member %s: %v", name, page)
		}
	}
	without := slices.IndexFunc(rows, func(row map[string]any) bool { v, there := row["cveId"]; return there && v == nil })
	if without < 0 {
		t.Error("no row of a page has null as cveId")
	}
	var inFiles []map[string]any
	for _, f := range c.list(p.at.XDR + "/api/machines/SoftwareVulnerabilitiesExport").Files {
		inFiles = append(inFiles, c.file(f)...)
	}
	file := members(inFiles)
	for _, name := range []string{"Id", "DeviceId", "OSPlatform", "CvssScore", "RbacGroupName"} {
		if !file[name] {
			t.Errorf("a file has no member %s: %v", name, file)
		}
	}
	if slices.ContainsFunc(inFiles, func(row map[string]any) bool { v, there := row["CveId"]; return there && v == nil }) {
		t.Error("a row of a file has null as CveId")
	}
	gathered := members(c.file(c.list(p.at.XDR + "/api/Machines/InfoGatheringExport").Files[1]))
	if !gathered["OsPlatform"] || !gathered["OsVersion"] || gathered["OSPlatform"] {
		t.Errorf("information gathering spells its members %v", gathered)
	}
	extensions := c.page(p.at.XDR + "/api/machines/BrowserExtensionsInventoryByMachine")
	if !members(extensions.Value)["ExtensionId"] {
		t.Error("pages of browser extensions are not in Pascal case")
	}
}

// What a request may ask for, and what is refused.
func TestExportRequests(t *testing.T) {
	quota := emulator.NoQuota()
	e, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Quota: &quota, Now: morning})
	c := newExportClient(p)
	const vulnerabilities = "/api/machines/SoftwareVulnerabilitiesByMachine"
	const list = "/api/machines/SoftwareVulnerabilitiesExport"
	const changes = "/api/machines/SoftwareVulnerabilityChangesByMachine"
	for _, tt := range []struct {
		target string
		status int
		code   string
	}{
		{vulnerabilities + "?pageSize=5", 200, ""},
		{"/API/Machines/softwarevulnerabilitiesbymachine?PAGESIZE=5", 200, ""},
		{vulnerabilities + "?pageSize=0", 400, "InvalidInput"},
		{vulnerabilities + "?pageSize=200001", 400, "InvalidInput"},
		{vulnerabilities + "?pageSize=x", 400, "InvalidInput"},
		{vulnerabilities + "?$top=3", 200, ""},
		{vulnerabilities + "?$skiptoken=abc", 400, "InvalidInput"},
		{vulnerabilities + "?$filter=x", 400, "InvalidInput"},
		{vulnerabilities + "?sinceTime=2026-01-01", 400, "InvalidInput"},
		{list + "?sasValidHours=6", 200, ""},
		{list + "?sasValidHours=7", 400, "InvalidInput"},
		{"/api/machines/SoftwareInventoryNonCpeExport?sasValidHours=24", 200, ""},
		{"/api/machines/HardwareFirmwareInventoryExport?sasValidHours=99", 200, ""}, // no such parameter there
		{"/api/Machines/InfoGatheringExport?$sasValidHours=1", 200, ""},
		{changes, 400, "MissingRequiredParameter"},
		{changes + "?sinceTime=yesterday", 400, "InvalidInput"},
		{changes + "?sinceTime=" + ago(e, 15*24*time.Hour), 400, "InvalidInput"},
		{changes + "?sinceTime=" + ago(e, 13*24*time.Hour), 200, ""},
		{"/api/machines/SomethingExport", 404, "NotFound"},
	} {
		status, header, body := c.call(p.at.XDR + tt.target)
		var answer struct {
			Error struct{ Code, Message, Target string }
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Errorf("%s: %s: %v", tt.target, body, err)
		}
		if status != tt.status || answer.Error.Code != tt.code {
			t.Errorf("%s: %d %.200s, want %d %s", tt.target, status, body, tt.status, tt.code)
		}
		if tt.code != "" && tt.status == 400 && (answer.Error.Message == "" || answer.Error.Target != header.Get("request-id")) {
			t.Errorf("%s: %s", tt.target, body)
		}
	}
	if got := c.page(p.at.XDR + vulnerabilities + "?$top=3"); len(got.Value) != 3 || got.Next != "" {
		t.Errorf("$top=3 gives %d rows and the next page %q", len(got.Value), got.Next)
	}
}

// Each call has a role; a token for hunting alone does not do.
func TestExportRoles(t *testing.T) {
	app := entra.App{ID: "6f1d9b0e-0000-4000-8000-00000000aaaa", Name: "reader", Secrets: []string{"s3cret"}, Roles: map[string][]string{
		emulator.MDEResource: {"Software.Read.All"},
	}}
	_, p := newEmulator(t, emulator.Options{Devices: 3, CVEs: 20_000, Apps: []entra.App{app}, Now: morning})
	p.at.ClientID, p.at.ClientSecret = app.ID, app.Secrets[0]
	c := newExportClient(p)
	for path, want := range map[string]int{
		"/api/machines/SoftwareInventoryByMachine":            200,
		"/api/machines/SoftwareVulnerabilitiesByMachine":      403,
		"/api/machines/baselineComplianceAssessmentByMachine": 403,
	} {
		if status, _, body := c.call(p.at.XDR + path); status != want {
			t.Errorf("%s: %d %.200s, want %d", path, status, body, want)
		}
	}
	c.bearer = "none"
	if status, _, _ := c.call(p.at.XDR + "/api/machines/SoftwareInventoryByMachine"); status != 401 {
		t.Errorf("a wrong token is answered with %d", status)
	}
}

// The documented limits of calls, each path by itself.
func TestExportQuotas(t *testing.T) {
	began := morning()
	var passed atomic.Int64 // since then; the emulator asks for the time on its own, too
	_, p := newEmulator(t, emulator.Options{Devices: 3, CVEs: 20_000, Now: func() time.Time { return began.Add(time.Duration(passed.Load())) }})
	c := newExportClient(p)
	calls := func(path string, n int) (admitted int, retry string) {
		for range n {
			status, header, body := c.call(p.at.XDR + path)
			if status == 200 {
				admitted++
				continue
			}
			if !bytes.Contains(body, []byte(`"code":"TooManyRequests"`)) || status != 429 {
				t.Errorf("%d %s", status, body)
			}
			retry = header.Get("Retry-After")
		}
		return admitted, retry
	}
	if n, retry := calls("/api/machines/SoftwareInventoryExport", 7); n != 5 || retry != "60" {
		t.Errorf("%d lists of files are admitted; then wait %s s", n, retry)
	}
	if n, retry := calls("/api/machines/SoftwareInventoryByMachine?pageSize=1", 32); n != 30 || retry != "60" {
		t.Errorf("%d pages are admitted; then wait %s s", n, retry)
	}
	for range 3 {
		passed.Add(int64(time.Minute))
		calls("/api/machines/SoftwareInventoryExport", 5)
	}
	passed.Add(int64(time.Minute))
	if n, retry := calls("/api/machines/SoftwareInventoryExport", 1); n != 0 || retry != "3360" {
		t.Errorf("%d more lists are admitted in the hour; then wait %s s", n, retry)
	}
}

// The signature of a file expires; a new list has the same names with new signatures.
func TestExportFilesExpire(t *testing.T) {
	began := morning()
	var passed atomic.Int64 // since then; the emulator asks for the time on its own, too
	e, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Now: func() time.Time { return began.Add(time.Duration(passed.Load())) }})
	c := newExportClient(p)
	const path = "/api/machines/SoftwareVulnerabilitiesExport"
	first := c.list(p.at.XDR + path)
	if first.Generated != "2026-11-20T06:01:00Z" || len(first.Files) < 4 {
		t.Fatalf("%d files of %s", len(first.Files), first.Generated)
	}
	if !strings.Contains(first.Files[0], "/tvm-export/2026-11-20/0601/VaExport/json/OrgId="+p.at.TenantID+"/_RbacGroupId=0/part-00000-") {
		t.Errorf("a file is called %s", first.Files[0])
	}
	empty := c.file(first.Files[len(first.Files)-1])
	if empty != nil {
		t.Error("the file of a group without devices has rows")
	}
	other := strings.Replace(first.Files[1], "_RbacGroupId=", "_RbacGroupId=9", 1)
	if status, body := c.get(other); status != 403 {
		t.Errorf("a signature for another file is answered with %d %s", status, body)
	}
	passed.Add(int64(61 * time.Minute))
	status, body := c.get(first.Files[0])
	want := "Signature not valid in the specified key time frame: Key start [Fri, 20 Nov 2026 06:59:00 GMT] - Key expiry [Fri, 20 Nov 2026 08:00:00 GMT] - Current [Fri, 20 Nov 2026 08:01:00 GMT]"
	if status != 403 || !bytes.Contains(body, []byte("<Code>AuthenticationFailed</Code>")) || !bytes.Contains(body, []byte(want)) {
		t.Errorf("%d %s", status, body)
	}
	c = newExportClient(p) // its token has expired too
	second := c.list(p.at.XDR + path)
	name := func(address string) string { before, _, _ := strings.Cut(address, "?"); return before }
	for i := range first.Files {
		if name(first.Files[i]) != name(second.Files[i]) {
			t.Errorf("%s is now %s", name(first.Files[i]), name(second.Files[i]))
		}
	}
	if first.Generated != second.Generated {
		t.Errorf("generated %s, then %s", first.Generated, second.Generated)
	}
	e.Tenant().AdvanceHours(6)
	if third := c.list(p.at.XDR + path); third.Generated != "2026-11-20T12:01:00Z" || name(third.Files[0]) == name(first.Files[0]) {
		t.Errorf("after six hours: %s %s", third.Generated, name(third.Files[0]))
	}
}

// Faults of the general kind reach the calls and the files.
func TestExportFaults(t *testing.T) {
	quota := emulator.NoQuota()
	e, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Quota: &quota, Now: morning})
	c := newExportClient(p)
	const path = "/api/machines/SoftwareInventoryExport"
	rules, err := faults.Parse([]byte(`[
		{"endpoint": "assessment", "match": "SoftwareInventoryExport", "count": 1, "status": 503},
		{"endpoint": "blob", "match": "part-00001", "count": 1, "status": 200},
		{"endpoint": "blob", "match": "part-00001", "count": 1, "expireSAS": true}]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Faults().Add(rules...); err != nil {
		t.Fatal(err)
	}
	if status, _, body := c.call(p.at.XDR + path); status != 503 || !bytes.Contains(body, []byte("InternalServerError")) {
		t.Errorf("%d %s", status, body)
	}
	list := c.list(p.at.XDR + path)
	if rows := c.file(list.Files[1]); rows != nil {
		t.Errorf("an empty blob has %d rows", len(rows))
	}
	if status, body := c.get(list.Files[1]); status != 403 || !bytes.Contains(body, []byte("key time frame")) {
		t.Errorf("%d %s", status, body)
	}
	if rows := c.file(list.Files[1]); len(rows) == 0 {
		t.Error("the file has no rows")
	}
	if got := e.Stats().Exports["TvmSoftwareInventory"]; got.Calls != 1 || got.Files != 1 {
		t.Errorf("stats: %+v", got)
	}
}
