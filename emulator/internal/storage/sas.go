package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Grant is what a shared access signature allows.
type Grant struct {
	Permissions string // letters: r read, a add, c create, w write, d delete, u update, p process
	From, Until time.Time
}

// signedVersion is the service version that signatures are made for.
const signedVersion = "2021-08-06"

const sasTime = "2006-01-02T15:04:05Z"

// signer makes the signatures of a Storage and checks them.
type signer struct {
	key []byte
	now func() time.Time
}

// sign makes the query of a service SAS. See
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas.
func (s signer) sign(r Resource, g Grant) url.Values {
	q := url.Values{"sv": {signedVersion}, "sp": {g.Permissions}, "spr": {"https"}}
	if !g.From.IsZero() {
		q.Set("st", g.From.UTC().Format(sasTime))
	}
	if !g.Until.IsZero() {
		q.Set("se", g.Until.UTC().Format(sasTime))
	}
	switch r.Kind {
	case Blob:
		q.Set("sr", "c")
	case Table:
		q.Set("tn", r.Name)
	}
	q.Set("sig", s.signature(r, q))
	return q
}

// signature is the one that belongs to the other parameters of q.
func (s signer) signature(r Resource, q url.Values) string {
	name := r.Name
	if r.Kind == Table {
		name = strings.ToLower(name)
	}
	fields := []string{
		q.Get("sp"), q.Get("st"), q.Get("se"), "/" + string(r.Kind) + "/" + r.Account + "/" + name,
		q.Get("si"), q.Get("sip"), q.Get("spr"), q.Get("sv"),
	}
	switch r.Kind {
	case Blob:
		fields = append(fields, q.Get("sr"), "", q.Get("ses"), q.Get("rscc"), q.Get("rscd"), q.Get("rsce"), q.Get("rscl"), q.Get("rsct"))
	case Table:
		fields = append(fields, q.Get("spk"), q.Get("srk"), q.Get("epk"), q.Get("erk"))
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(strings.Join(fields, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authorize checks the signature in a query: that it is ours, valid now, and
// that it holds one of the permissions.
func (s signer) authorize(at Resource, q url.Values, anyOf string) error {
	if err := s.inTime(q, timeFrame); err != nil {
		return err
	}
	if q.Get("sr") == "b" {
		return errAuthentication("Signature did not match.")
	}
	return s.matches(at, q, anyOf)
}

// timeFrame is the detail of a refusal for the time in the parameter bound.
func timeFrame(q url.Values, bound string, _ time.Time) string {
	return "Signature not valid in the specified time frame: " + bound + " is " + q.Get(bound) + "."
}

// inTime checks that there is a signature and that it is valid now.
func (s signer) inTime(q url.Values, detail func(q url.Values, bound string, now time.Time) string) error {
	if !q.Has("sig") {
		return failure(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
	}
	now := s.now()
	for _, bound := range []struct {
		name  string
		holds func(t time.Time) bool
	}{
		{"st", func(t time.Time) bool { return !now.Before(t) }},
		{"se", func(t time.Time) bool { return now.Before(t) }},
	} {
		text := q.Get(bound.name)
		if text == "" && bound.name == "st" {
			continue
		}
		t, err := parseSASTime(text)
		if err != nil || !bound.holds(t) {
			return errAuthentication(detail(q, bound.name, now))
		}
	}
	return nil
}

// matches checks that the signature is ours and holds one of the permissions.
func (s signer) matches(at Resource, q url.Values, anyOf string) error {
	if !hmac.Equal([]byte(q.Get("sig")), []byte(s.signature(at, q))) {
		return errAuthentication("Signature did not match.")
	}
	if !strings.ContainsAny(q.Get("sp"), anyOf) {
		return failure(http.StatusForbidden, "AuthorizationPermissionMismatch",
			"This request is not authorized to perform this operation using this permission.")
	}
	return nil
}

// parseSASTime reads the forms that a signature may hold.
func parseSASTime(text string) (t time.Time, err error) {
	for _, layout := range []string{sasTime, "2006-01-02T15:04:05.0000000Z", "2006-01-02T15:04Z", "2006-01-02"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}
