package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// certificate is a row of DeviceTvmCertificateInfo.
type certificate struct {
	state  *state
	device *device
	dice   dice // of the certificate, the same at every path
	place  dice // of the certificate on the device
	root   bool // of an authority, in the stores of many devices
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmcertificateinfo-table
var certificates = table[certificate]{
	name: "DeviceTvmCertificateInfo",
	rows: certificateRows,
	columns: []column[certificate]{
		{"DeviceId", value.String, perDevice, func(r *certificate) value.Value { return value.NewString(r.device.id) }},
		{"Thumbprint", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.dice.at(ofText, 0, 0).hex(40)) }},
		{"Path", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.path()) }},
		{"SerialNumber", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.dice.at(ofText, 1, 0).hex(32)) }},
		{"IssuedTo", value.Dynamic, perRow, (*certificate).subject},
		{"IssuedBy", value.Dynamic, perRow, (*certificate).issuer},
		{"FriendlyName", value.String, perRow, func(r *certificate) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 2, 0), []string{"", "", "", "Microsoft Root", "VPN «Zugang»", "証明書", "tab\there\u2028and a line", "\U0001F510 wallet", "شهادة الخادم"}))
		}},
		{"SignatureAlgorithm", value.String, perRow, func(r *certificate) value.Value {
			return value.NewString(pick(r.dice.at(ofText, 3, 0), []string{"sha256RSA", "sha256RSA", "sha384ECDSA", "sha1RSA", "md5RSA"}))
		}},
		{"KeySize", value.String, perRow, func(r *certificate) value.Value {
			return value.NewString(r.keySize())
		}},
		{"ExpirationDate", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.date(r.expires())) }},
		{"IssueDate", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.date(r.issued())) }},
		{"SubjectType", value.String, perRow, func(r *certificate) value.Value {
			if r.root {
				return value.NewString("CA")
			}
			return value.NewString("End Entity")
		}},
		{"KeyUsage", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.keyUsage()) }},
		{"ExtendedKeyUsage", value.String, perRow, func(r *certificate) value.Value { return value.NewString(r.extendedKeyUsage()) }},
	},
}

func (r *certificate) keySize() string {
	return pick(r.dice.at(ofText, 4, 0), []string{"2048", "2048", "4096", "384", "1024", ""})
}

// expires and issued are days from the start.
func (r *certificate) expires() int { return 1 + r.dice.at(ofText, 5, 0).n(3000) }

func (r *certificate) issued() int { return -r.dice.at(ofText, 6, 0).n(3000) }

func (r *certificate) keyUsage() string {
	return pick(r.dice.at(ofText, 7, 0), []string{"Digital Signature, Key Encipherment", "Certificate Signing, Off-line CRL Signing, CRL Signing", ""})
}

func (r *certificate) extendedKeyUsage() string {
	return pick(r.dice.at(ofText, 8, 0), []string{"Server Authentication (1.3.6.1.5.5.7.3.1)", "Client Authentication, Smart Card Logon", ""})
}

// moment is a day counted from the start, to the second.
func (r *certificate) moment(days int) value.Value {
	t := r.state.started + int64(days)*value.TicksPerDay
	return value.DateTimeFromTicks(t - t%value.TicksPerSecond)
}

// date is a date some days from the start, in the two forms that occur.
func (r *certificate) date(days int) string {
	t := r.moment(days).Time()
	if r.root {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02 15:04:05")
}

func (r *certificate) path() string {
	store := pick(r.place.at(ofText, 0, 0), []string{`LocalMachine\My`, `LocalMachine\Root`, `CurrentUser\My`, `LocalMachine\CA`, `CurrentUser\Persönlich`})
	if r.device.platform.family != windows {
		store = "/etc/ssl/certs/" + r.dice.hex(8) + ".pem"
	}
	return store
}

func (r *certificate) subject() value.Value {
	d := r.dice.at(ofText, 9, 0)
	switch n := d.n(60); {
	case n == 0:
		return value.Null(value.Dynamic)
	case n == 1:
		return emptyBag
	case n == 2:
		return value.NewDynamic(value.NewString(`{"CommonName":"text, not a bag"}`))
	case r.root:
		return name(fmt.Sprintf("Example Trust Root R%d", d.n(90)), d)
	default:
		return name(r.device.name, d)
	}
}

func (r *certificate) issuer() value.Value {
	d := r.dice.at(ofText, 10, 0)
	return name(fmt.Sprintf("Example Trust CA %d", d.n(12)), d)
}

// name is a distinguished name as a bag.
func name(common string, d dice) value.Value {
	org := pick(d, []string{"Contoso Ltd", "Société Générale d'Exemple", "ООО «Пример»", "株式会社コントソ", ""})
	switch d.at(ofText, 0, 0).n(4) {
	case 0:
		return bag("CommonName", common)
	case 1:
		return bag("CommonName", common, "Organization", org, "OrganizationalUnit", []string{"IT", "Sécurité"}, "Country", nil)
	default:
		return bag("CommonName", common, "Organization", org, "Country", pick(d.at(ofText, 1, 0), []string{"US", "DE", "JP", "BR"}))
	}
}

// rootCount is how many certificates of authorities there are.
const rootCount = 160

func certificateRows(s *scan[certificate]) {
	r := &s.record
	r.state = s.state
	s.devices(func(d *device) bool {
		if s.state.expired(d) >= userScopeExpired {
			return true
		}
		r.device = d
		s.enter(perDevice)
		n := 7 + d.dice.at(ofCertificate, 0, 0).n(13)
		if d.heavy {
			n *= 10
		}
		part := max(1, rootCount/n)
		for i := range n {
			renewed := d.renewed(i)
			r.place = d.dice.at(ofCertificate, i+1, renewed)
			r.root = i < rootCount && i%3 != 0
			if r.root {
				r.dice = s.state.dice.at(ofCertificate, i*part+r.place.n(part), 0)
			} else {
				r.dice = r.place
			}
			if !s.emit() {
				return false
			}
		}
		return true
	})
}

// renewed is the newest revision of d that replaced certificate i.
func (d *device) renewed(i int) int {
	for n := len(d.revisions) - 1; n > 0; n-- {
		if d.dice.at(ofCertificate, i+1, 1<<20+n).permille(35) {
			return n
		}
	}
	return 0
}
