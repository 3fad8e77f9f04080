package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// extension is a browser extension of the catalogue.
type extension struct {
	number  int
	dice    dice
	browser string
}

// extensionCount is how many browser extensions there are.
const extensionCount = 420

// extensionOf is extension i of the tenant's catalogue.
func extensionOf(world dice, i int) extension {
	d := world.at(ofExtension, i, 0)
	return extension{i, d, pick(d, []string{"chrome", "chrome", "chrome", "edge", "edge", "firefox"})}
}

// id is 32 letters from a to p, as Chromium makes them of a key's hash, or
// the address-like id that Firefox uses.
func (e *extension) id() string {
	if e.browser == "firefox" {
		return fmt.Sprintf("addon%d@%s.example", e.number, pick(e.dice.at(ofText, 0, 0), hostNames))
	}
	b := e.dice.at(ofText, 1, 0).appendHex(make([]byte, 0, 32), 32)
	for i, c := range b {
		if c <= '9' {
			b[i] = c - '0' + 'a'
		} else {
			b[i] = c + 10
		}
	}
	return string(b)
}

func (e *extension) name() string {
	return fmt.Sprintf("%s %s %d", pick(e.dice.at(ofText, 2, 0), []string{"Ad", "Dark", "Password", "Tab", "Grammar", "🔒 Secure", "Übersetzer", "مترجم"}),
		pick(e.dice.at(ofText, 3, 0), []string{"Blocker", "Mode", "Keeper", "Groups", "Helper", "ページ"}), e.number)
}

func (e *extension) description() string {
	return pick(e.dice.at(ofText, 4, 0), []string{
		"", "Makes the web quicker.", "The best <b>manager</b> for \"everything\".\nFree & open.", "Schützt beim Surfen – überall.", "فحص الروابط قبل فتحها", "{\"message\":\"__MSG_appDesc__\"}",
	})
}

func (e *extension) risk() string {
	return pick(e.dice.at(ofText, 5, 0), []string{"Low", "Medium", "High", "Critical", "Unknown"})
}

func (e *extension) version(n int) string {
	d := e.dice.at(ofText, 6, 0)
	return fmt.Sprintf("%d.%d.%d", 1+d.n(9), n, d.at(ofText, 0, n).n(30))
}

// versions is how many versions of the extension are about.
func (e *extension) versions() int { return e.dice.at(ofText, 7, 0).n(5) }

// extended is a row of DeviceTvmBrowserExtensions.
type extended struct {
	state  *state
	device *device
	extension
	place   dice // of the extension on the device
	updated int  // how often it was updated there
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmbrowserextensions-table
var browserExtensions = table[extended]{
	name: "DeviceTvmBrowserExtensions",
	rows: extendedRows,
	columns: []column[extended]{
		{"DeviceId", value.String, perDevice, func(r *extended) value.Value { return value.NewString(r.device.id) }},
		{"BrowserName", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.browser) }},
		{"ExtensionId", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.id()) }},
		{"ExtensionName", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.name()) }},
		{"ExtensionDescription", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.description()) }},
		{"ExtensionVersion", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.version(r.updated)) }},
		{"ExtensionRisk", value.String, perRow, func(r *extended) value.Value { return value.NewString(r.risk()) }},
		{"ExtensionVendor", value.String, perRow, func(r *extended) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 8, 0), []string{"", "Contoso", "Müller & Söhne", "Fabrikam, Inc.", "個人"}))
		}},
		{"IsActivated", value.String, perRow, func(r *extended) value.Value {
			return value.NewString(pick(r.place.at(ofText, 0, r.updated), []string{"true", "true", "true", "false", ""}))
		}},
		{"InstallationTime", value.DateTime, perRow, (*extended).installed},
	},
}

func (r *extended) installed() value.Value {
	d := r.place.at(ofTime, 0, 0)
	if d.permille(40) {
		return value.Null(value.DateTime)
	}
	return value.DateTimeFromTicks(roundTime(d, r.state.started-int64(d.n(900))*value.TicksPerDay-int64(d.at(ofTime, 1, 1).n(int(value.TicksPerDay)))))
}

func extendedRows(s *scan[extended]) {
	r := &s.record
	r.state = s.state
	s.devices(func(d *device) bool {
		if d.platform.family == mobile || s.state.expired(d) >= userScopeExpired {
			return true
		}
		r.device = d
		s.enter(perDevice)
		n := 3 + d.dice.at(ofExtension, 0, 1).n(9)
		if d.heavy {
			n *= 10
		}
		// One extension out of each part of the catalogue, so none comes twice.
		part := extensionCount / n
		for i := range n {
			rolled, updated := 0, 0
			for v := len(d.revisions) - 1; v > 0; v-- {
				switch h := d.dice.at(ofExtension, i, v+1); {
				case rolled == 0 && h.permille(30):
					rolled = v
				case rolled == 0 && h.permille(250):
					updated++
				}
			}
			r.place = d.dice.at(ofExtension, i, 1<<20+rolled)
			if r.place.permille(150) { // removed, or never there
				continue
			}
			r.extension = extensionOf(s.state.world.dice, i*part+r.place.at(ofExtension, 0, 0).skewed(part))
			r.updated = updated + r.place.at(ofExtension, 1, 0).n(3)
			if !s.emit() {
				return false
			}
		}
		return true
	})
}

// permission is a row of DeviceTvmBrowserExtensionsKB.
type permission struct {
	extension
	place dice // of the permission in the extension
	kind  int
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmbrowserextensionskb-table
var browserExtensionsKB = table[permission]{
	name: "DeviceTvmBrowserExtensionsKB",
	rows: permissionRows,
	columns: []column[permission]{
		{"BrowserName", value.String, perItem, func(r *permission) value.Value { return value.NewString(r.browser) }},
		{"ExtensionId", value.String, perItem, func(r *permission) value.Value { return value.NewString(r.id()) }},
		{"ExtensionName", value.String, perItem, func(r *permission) value.Value { return value.NewString(r.name()) }},
		{"ExtensionDescription", value.String, perItem, func(r *permission) value.Value { return value.NewString(r.description()) }},
		{"ExtensionVersion", value.Dynamic, perItem, func(r *permission) value.Value {
			list := []string{}
			for i := range r.versions() {
				list = append(list, r.version(i))
			}
			return textArray(list)
		}},
		{"ExtensionRisk", value.String, perItem, func(r *permission) value.Value { return value.NewString(r.risk()) }},
		{"PermissionId", value.String, perRow, func(r *permission) value.Value { return value.NewString(permissions[r.kind].id) }},
		{"PermissionName", value.String, perRow, func(r *permission) value.Value { return value.NewString(permissions[r.kind].name) }},
		{"PermissionDescription", value.String, perRow, func(r *permission) value.Value { return value.NewString(permissions[r.kind].does) }},
		{"PermissionRisk", value.String, perRow, func(r *permission) value.Value { return value.NewString(permissions[r.kind].risk) }},
		{"IsPermissionRequired", value.String, perRow, func(r *permission) value.Value {
			return value.NewString(pick(r.place, []string{"true", "true", "false"}))
		}},
	},
}

var permissions = []struct{ id, name, does, risk string }{
	{"tabs", "Tabs", "Sees the addresses of open tabs", "Medium"},
	{"storage", "Storage", "Keeps data on the device", "Low"},
	{"cookies", "Cookies", "Reads and changes cookies", "High"},
	{"<all_urls>", "All sites", "Reads and changes what every site shows", "Critical"},
	{"webRequest", "Web requests", "Watches traffic; “in flight”", "High"},
	{"https://*.contoso.example/*", "", "", "Low"},
	{"nativeMessaging", "Native messaging", "Talks to programs outside the browser", "High"},
	{"", "No permission", "Asks for nothing", ""},
}

func permissionRows(s *scan[permission]) {
	r := &s.record
	for i := range extensionCount {
		r.extension = extensionOf(s.state.world.dice, i)
		s.enter(perItem)
		for r.kind = range permissions {
			r.place = r.dice.at(ofExtension, r.kind, 2)
			if !r.place.at(ofText, 0, 0).permille(550) {
				continue
			}
			s.again = i == extensionCount/2
			if !s.emit() {
				return
			}
		}
	}
}
