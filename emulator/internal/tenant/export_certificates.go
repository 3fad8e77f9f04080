package tenant

import (
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// exportedCertificates follows https://learn.microsoft.com/defender-endpoint/api/export-certificate-inventory-assessment.
// The names are those of the page's sample; its list of properties has others.
var exportedCertificates = exportOf("TvmCertificates", &certificates, func(r *certificate) *device { return r.device }, nil,
	deviceIDColumn[certificate](), deviceNameColumn[certificate](),
	same(&certificates, "Thumbprint"), same(&certificates, "Path"), same(&certificates, "SignatureAlgorithm"),
	ofRecord("KeyLength", value.Int, func(r *certificate) value.Value {
		n, err := strconv.ParseInt(r.keySize(), 10, 32)
		if err != nil {
			return value.Null(value.Int)
		}
		return value.NewInt(int32(n))
	}),
	ofRecord("NotAfter", value.DateTime, func(r *certificate) value.Value { return r.moment(r.expires()) }),
	ofRecord("NotBefore", value.DateTime, func(r *certificate) value.Value {
		if r.dice.at(ofText, 11, 0).permille(20) {
			return value.DateTimeFromTicks(0) // not known
		}
		return r.moment(r.issued())
	}),
	same(&certificates, "SubjectType"), same(&certificates, "SerialNumber"),
	same(&certificates, "IssuedTo", "SubjectObject"), same(&certificates, "IssuedBy", "IssuerObject"),
	ofRecord("KeyUsageArray", value.Dynamic, func(r *certificate) value.Value { return splitUsage(r.keyUsage()) }),
	ofRecord("ExtendedKeyUsageArray", value.Dynamic, func(r *certificate) value.Value { return splitUsage(r.extendedKeyUsage()) }),
	ofRecord("IsSelfSigned", value.Bool, func(r *certificate) value.Value { return value.NewBool(r.root) }),
	groupIDColumn[certificate](), groupNameColumn[certificate](),
)

// splitUsage is a list of usages as an array; null if there is none.
func splitUsage(text string) value.Value {
	if text == "" {
		return value.Null(value.Dynamic)
	}
	return textArray(strings.Split(text, ", "))
}
