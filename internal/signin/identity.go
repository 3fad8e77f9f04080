package signin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Identity is what a token says of whom it was given to
// (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
type Identity struct {
	TenantID string // tid
	AppID    string
	ObjectID string // of the service principal or the user
	Name     string // of the application; "" if the token does not say
	Audience string
	Roles    []string // application permissions
	Scopes   []string // delegated permissions, of a user's token
	Expires  time.Time
}

var errNoToken = errors.New("Entra returned a token that cannot be parsed")

// read takes an identity from a token. The signature is not checked: the token
// came from the authority itself, over TLS, and is for others to trust.
func read(token string) (Identity, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Identity{}, errNoToken
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Identity{}, errNoToken
	}
	var c struct {
		TenantID string   `json:"tid"`
		AppID    string   `json:"appid"` // v1.0
		Client   string   `json:"azp"`   // v2.0
		ObjectID string   `json:"oid"`
		Name     string   `json:"app_displayname"`
		Audience string   `json:"aud"`
		Roles    []string `json:"roles"`
		Scopes   string   `json:"scp"`
		Expires  int64    `json:"exp"`
	}
	if json.Unmarshal(payload, &c) != nil || c.TenantID == "" {
		return Identity{}, errNoToken
	}
	if c.AppID == "" {
		c.AppID = c.Client
	}
	return Identity{
		TenantID: strings.ToLower(c.TenantID), AppID: c.AppID, ObjectID: c.ObjectID, Name: c.Name, Audience: c.Audience,
		Roles: c.Roles, Scopes: strings.Fields(c.Scopes), Expires: time.Unix(c.Expires, 0).UTC(),
	}, nil
}
