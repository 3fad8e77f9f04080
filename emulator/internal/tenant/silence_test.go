package tenant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// ofDevice counts the rows of a table about one device.
func ofDevice(t *testing.T, c kql.Catalog, table, id string) int {
	t.Helper()
	n := 0
	for _, row := range columnTexts(t, relation(t, c, table), []string{"DeviceId"}) {
		if row == id {
			n++
		}
	}
	return n
}

// windowsDevice is the id of a device that all data sets have rows of.
func windowsDevice(t *testing.T, tn *tenant.Tenant) string {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmBrowserExtensions"), []string{"DeviceId"}) {
		seen[row] = len(row) == 40
	}
	for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmSoftwareInventory"), []string{"DeviceId", "OSPlatform"}) {
		if id, platform, _ := strings.Cut(row, "|"); seen[id] && platform == "Windows11" {
			return id
		}
	}
	t.Fatal("no device has all data sets")
	return ""
}

// What a silent device reported expires by its kind, in hunting as in the exports.
func TestSilentDeviceExpires(t *testing.T) {
	o := known(30, 12)
	o.ChangeRate = -1
	tn := tenant.New(o)
	id := windowsDevice(t, tn)
	tables := map[string]string{ // of hunting, by data set
		"TvmBrowserExtensions": "DeviceTvmBrowserExtensions", "TvmCertificates": "DeviceTvmCertificateInfo",
		"TvmSoftwareVulnerabilities": "DeviceTvmSoftwareVulnerabilities", "TvmSoftwareInventory": "DeviceTvmSoftwareInventory",
		"TvmHardwareFirmware": "DeviceTvmHardwareFirmware", "TvmSecureConfigurations": "DeviceTvmSecureConfigurationAssessment",
		"TvmBaselineCompliance": "DeviceBaselineComplianceAssessment", "TvmInformationGathering": "DeviceTvmInfoGathering",
	}
	if err := tn.Silence(id); err != nil {
		t.Fatal(err)
	}
	if err := tn.Silence(id); err == nil || !strings.Contains(err.Error(), "silent already") {
		t.Errorf("a silent device is made silent: %v", err)
	}
	if err := tn.Silence("none"); err == nil {
		t.Error("a device that does not exist is made silent")
	}
	day := 0
	for _, tt := range []struct {
		day  int
		left string // data sets with rows of the device
	}{
		{6, "TvmBaselineCompliance TvmBrowserExtensions TvmCertificates TvmHardwareFirmware TvmInformationGathering TvmSecureConfigurations TvmSoftwareInventory TvmSoftwareVulnerabilities"},
		{7, "TvmBaselineCompliance TvmHardwareFirmware TvmInformationGathering TvmSecureConfigurations TvmSoftwareInventory TvmSoftwareVulnerabilities"},
		{29, "TvmBaselineCompliance TvmHardwareFirmware TvmInformationGathering TvmSecureConfigurations TvmSoftwareInventory TvmSoftwareVulnerabilities"},
		{30, "TvmBaselineCompliance TvmHardwareFirmware TvmInformationGathering TvmSecureConfigurations TvmSoftwareInventory"},
		{31, ""},
	} {
		tn.Advance(tt.day - day)
		day = tt.day
		var exported, hunted []string
		for set, table := range tables {
			if ofDevice(t, tn.ExportCatalog(), set, id) > 0 {
				exported = append(exported, set)
			}
			if ofDevice(t, tn.Catalog(), table, id) > 0 {
				hunted = append(hunted, set)
			}
		}
		slices.Sort(exported)
		slices.Sort(hunted)
		if got := strings.Join(exported, " "); got != tt.left {
			t.Errorf("after %d days the exports have %s,\nwant %s", tt.day, got, tt.left)
		}
		if d := cmp.Diff(exported, hunted); d != "" {
			t.Errorf("after %d days hunting and exports differ:\n%s", tt.day, d)
		}
	}
}

// Silent devices have no events, and their programs no paths of users.
func TestSilentDeviceLosesPathsOfUsers(t *testing.T) {
	o := known(60, 13)
	o.ChangeRate = -1
	o.RetentionDays = 30
	tn := tenant.New(o)
	paths := func() (all map[string]bool, users int) {
		all = map[string]bool{}
		for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmSoftwareInventory"), []string{"DeviceId", "SoftwareName", "SoftwareVersion", "DiskPaths", "RegistryPaths"}) {
			all[strings.Join(strings.SplitN(row, "|", 4)[:3], "|")] = true
			if lower := strings.ToLower(row); strings.Contains(lower, "users") {
				users++
			}
		}
		return all, users
	}
	before, users := paths()
	if users < 20 {
		t.Fatalf("%d programs have paths of users", users)
	}
	ids := map[string]bool{}
	for row := range before {
		id, _, _ := strings.Cut(row, "|")
		ids[id] = true
	}
	for id := range ids {
		if err := tn.Silence(id); err != nil {
			t.Fatal(err)
		}
	}
	newest := tn.Newest()
	tn.Advance(7)
	after, users := paths()
	if users > 0 {
		t.Errorf("%d programs have paths of users after a week of silence", users)
	}
	if len(after) >= len(before) || len(after) < len(before)*8/10 {
		t.Errorf("%d programs, %d after a week of silence", len(before), len(after))
	}
	statuses := map[string]int{}
	for row, err := range tn.Newest().Changes(t.Context(), newest.Export, 0) {
		if err != nil {
			t.Fatal(err)
		}
		statuses[row[len(row)-2].Text()]++
	}
	if statuses["New"] > 0 || statuses["Fixed"] == 0 || statuses["Updated"] == 0 {
		t.Errorf("the changes are %v; want those of programs that have expired and of paths", statuses)
	}
	events := relation(t, tn.Catalog(), "DeviceInfo")
	at := slices.IndexFunc(events.Columns(), func(c value.Column) bool { return c.Name == "Timestamp" })
	latest := int64(0)
	for row, err := range events.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		latest = max(latest, row[at].Ticks())
	}
	if silent := value.NewDateTime(start).Ticks(); latest >= silent {
		t.Errorf("the newest event is of %v", value.DateTimeFromTicks(latest))
	}
}

// A device that was installed again has the same name and another id.
func TestReinstall(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	o := known(30, 14)
	o.ChangeRate = -1
	tn := tenant.New(o)
	id := windowsDevice(t, tn)
	other, err := tn.Reinstall(id)
	if err != nil || other == id {
		t.Fatalf("%s is now %s: %v", id, other, err)
	}
	names := func() []string {
		var names []string
		for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmInformationGathering"), []string{"DeviceId", "DeviceName", "OsPlatform"}) {
			if at, rest, _ := strings.Cut(row, "|"); at == id || at == other {
				names = append(names, rest)
			}
		}
		return names
	}
	tn.Advance(1)
	if got := names(); len(got) != 2 || got[0] != got[1] {
		t.Errorf("the devices are called %v", got)
	}
	tn.Advance(30)
	if got := names(); len(got) != 1 {
		t.Errorf("after a month the devices are called %v", got)
	}
	if n := ofDevice(t, tn.Catalog(), "DeviceInfo", id); n != 0 {
		t.Errorf("the old device has %d events", n)
	}
	if ofDevice(t, tn.Catalog(), "DeviceInfo", other) == 0 {
		t.Error("the new device has no events")
	}
}

// A device that is retired is gone at once, and its rows have gone.
func TestRetire(t *testing.T) {
	o := known(30, 14)
	o.Expiry, o.ChangeRate = true, -1
	tn := tenant.New(o)
	id, began := windowsDevice(t, tn), tn.Newest().Mark
	if err := tn.Retire(id); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"a retired device": tn.Retire(id), "no device": tn.Retire("none"), "a retired device, silenced": tn.Silence(id)} {
		if err == nil || !strings.Contains(err.Error(), "there is no device") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := ofDevice(t, tn.Catalog(), "DeviceTvmSoftwareInventory", id); n != 0 {
		t.Errorf("the device has %d rows", n)
	}
	tn.Advance(1)
	rows, reasons := vanishedRows(t, tn.Vanished(exportedVulnerabilities, began, tn.Newest().Mark))
	for i, row := range rows {
		if !strings.HasPrefix(row, id) || reasons[i] != "gone" {
			t.Errorf("%s is %s", row, reasons[i])
		}
	}
	if len(rows) == 0 {
		t.Error("no rows have vanished")
	}
}

// Where rows expire, devices that report are seen every day.
func TestExpiryShowsWhoReports(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	o := known(120, 15)
	o.Expiry, o.ChangeRate = true, 0.3
	tn := tenant.New(o)
	tn.Advance(20)
	seen := map[string]string{}
	for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmSoftwareVulnerabilities"), []string{"DeviceId", "LastSeenTimestamp"}) {
		id, at, _ := strings.Cut(row, "|")
		seen[id] = at
	}
	today, silent := 0, 0
	since := start.AddDate(0, 0, 19).Format("2006-01-02T15:04:05")
	for id, at := range seen {
		events := ofDevice(t, tn.Catalog(), "DeviceInfo", id)
		switch {
		case at > since:
			today++
		case events > 0 && at < start.AddDate(0, 0, 16).Format("2006-01-02T15:04:05"):
			t.Errorf("the device %s was seen last at %s and has %d events of the last three days", id, at, events)
		default:
			silent++
		}
	}
	if today < 80 || silent < 5 {
		t.Errorf("%d devices report, %d are silent", today, silent)
	}
}

// The same calls lead to the same rows, also of what is silent and has expired.
func TestExpiryIsOfTheSeed(t *testing.T) {
	lived := func(seed uint64) []string {
		o := known(15, seed)
		o.Expiry, o.ChangeRate = true, 0.4
		tn := tenant.New(o)
		tn.Advance(9)
		tn.AdvanceHours(30)
		tn.Move(0.2)
		tn.Advance(25)
		return columnTexts(t, relation(t, tn.ExportCatalog(), "TvmSoftwareInventory"), []string{"DeviceId", "DeviceName", "SoftwareName", "SoftwareVersion", "RegistryPaths", "SoftwareFirstSeenTimestamp"})
	}
	one := lived(18)
	if !slices.Equal(one, lived(18)) {
		t.Error("two tenants with the same seed differ")
	}
	if slices.Equal(one, lived(19)) {
		t.Error("two tenants with different seeds are the same")
	}
}

// A program that gets another version was first seen when it was, as long as it is there.
func TestFirstSeenStays(t *testing.T) {
	o := known(40, 19)
	o.ChangeRate = 0.6
	tn := tenant.New(o)
	programs := func() (first, version map[string]string) {
		first, version = map[string]string{}, map[string]string{}
		for _, row := range columnTexts(t, relation(t, tn.ExportCatalog(), "TvmSoftwareInventory"), []string{"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareFirstSeenTimestamp", "SoftwareVersion"}) {
			f := strings.Split(row, "|")
			key := strings.Join(f[:3], "|")
			first[key], version[key] = f[3], version[key]+" "+f[4]
		}
		return first, version
	}
	upgraded := 0
	was, old := programs()
	for range 12 {
		tn.Advance(1)
		is, versions := programs()
		for key, at := range is {
			if was[key] == "" || versions[key] == old[key] {
				continue
			}
			upgraded++
			if at != was[key] {
				t.Errorf("%s has the versions%s instead of%s and was first seen at %s instead of %s", key, versions[key], old[key], at, was[key])
			}
		}
		was, old = is, versions
	}
	if upgraded < 50 {
		t.Errorf("%d programs got another version", upgraded)
	}
}
