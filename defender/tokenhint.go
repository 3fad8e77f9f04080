package defender

import (
	"regexp"
	"strings"
)

// entraNumber finds the numbers of Entra's errors.
var entraNumber = regexp.MustCompile(`AADSTS(\d+)`)

// TokenHint is the next step if Entra gives no token for a service because of the service
// itself: its tenant does not have it, has disabled it, or has not granted it to the
// application. It is "" for other errors: they are about the identity or the network.
// roles are the permissions that the application needs there. The numbers are those of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func TokenHint(err error, service string, roles ...string) string {
	for _, m := range entraNumber.FindAllStringSubmatch(err.Error(), -1) {
		switch m[1] {
		case "500011", "50001", "650052": // no service principal; 50001 is an older number
			return service + " is not provisioned in this tenant: let an administrator open https://security.microsoft.com once, with a licence of Defender for Endpoint or Defender for Business; also check the tenant and the cloud"
		case "500014":
			return service + " is disabled in this tenant: renew the subscription, or enable the service under Enterprise applications in the Entra admin center"
		case "650057", "65001", "501051": // not requested, no consent, not assigned
			return "the application has no permission on " + service + ": grant the application permission " + strings.Join(roles, ", ") + " with admin consent"
		}
	}
	return ""
}
