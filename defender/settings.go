package defender

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// DefaultMaxWait is how long a call waits at most unless Options say otherwise: longer than
// an hour's quota can hold it back.
const DefaultMaxWait = 90 * time.Minute

// defaultShare leaves half of a quota to people and other programs.
const defaultShare = 0.5

// ParseEndpoint reads the base URL of an API; "" is the usual one. It has no slash at its
// end.
func ParseEndpoint(address, usual string) (*url.URL, error) {
	address = strings.TrimSuffix(cmp.Or(address, usual), "/")
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return nil, fmt.Errorf("endpoint %q is not a URL such as %s", address, usual)
	}
	return at, nil
}

// ParseShare checks the share of a quota that may be used; 0 is the default.
func ParseShare(share float64) (float64, error) {
	share = cmp.Or(share, defaultShare)
	if !(share > 0 && share <= 1) {
		return 0, fmt.Errorf("share %v is not above 0 and at most 1", share)
	}
	return share, nil
}
