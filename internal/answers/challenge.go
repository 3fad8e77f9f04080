package answers

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// longestClaims bounds what is taken from a challenge. Entra's have some hundred
// bytes.
const longestClaims = 16 << 10

var claimsOf = regexp.MustCompile(`(?i)(?:^|[\s,])claims\s*=\s*"([A-Za-z0-9+/=_-]+)"`)

// Claims are those that a refused token lacks, as the challenge of continuous
// access evaluation has them, decoded; "" if there are none
// (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
func Claims(h http.Header) string {
	for _, challenge := range h.Values("WWW-Authenticate") {
		m := claimsOf.FindStringSubmatch(challenge)
		if m == nil || len(m[1]) > longestClaims {
			continue
		}
		text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(m[1], "="))
		claims, err := base64.RawStdEncoding.DecodeString(text)
		var object map[string]json.RawMessage
		if err == nil && json.Unmarshal(claims, &object) == nil && len(object) > 0 {
			return string(claims)
		}
	}
	return ""
}

// Bearer is the token that a request carries; "" for none.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
