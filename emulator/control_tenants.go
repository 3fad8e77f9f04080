package emulator

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// tenantControl is what the control API can do with one tenant.
type tenantControl struct {
	name, database string

	stats   func() any
	advance func(days, hours int)
	move    func(share float64) tenant.Change
	drift   func(table string, d tenant.Drift) ([]value.Column, error)
	insert  func(table string, rows ...json.RawMessage) error
	truth   func(ctx context.Context, query string) (result, error)

	silence   func(device string) error
	reinstall func(device string) (string, error)
	retire    func(device string) error
	vanished  func(ctx context.Context, name string, from, to time.Time) (result, error)

	consent func(entra.Consent) error // to the exporting application
	down    func(bool) error          // takes its cluster down
}

// one is the tenant that a request names in its query or its body, or the first one.
func (c *control) one(r *http.Request, body string) (*tenantControl, error) {
	name := cmp.Or(r.URL.Query().Get("tenant"), body)
	if name == "" {
		return c.tenants[0], nil
	}
	for _, t := range c.tenants {
		if strings.EqualFold(t.name, name) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("there is no tenant %s; GET tenants lists them", quoted(name))
}

// several are the tenant that a request names, or all.
func (c *control) several(r *http.Request, body string) ([]*tenantControl, error) {
	if body == "" && r.URL.Query().Get("tenant") == "" {
		return c.tenants, nil
	}
	t, err := c.one(r, body)
	return []*tenantControl{t}, err
}

// serveStats answers the counters of all, or with ?tenant=NAME those of a tenant.
func (c *control) serveStats(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("tenant") == "" {
		reply(w, http.StatusOK, c.stats())
		return
	}
	t, err := c.one(r, "")
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, t.stats())
}

// serveConsent takes a tenant's consent to the exporting application away and gives it back:
// POST {"granted": false}, or {"granted": true, "without": [role, ...]}.
func (c *control) serveConsent(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant  string   `json:"tenant"`
		Granted *bool    `json:"granted"`
		Without []string `json:"without,omitempty"`
	}
	err := readJSON(w, r, &body)
	if err == nil && body.Granted == nil {
		err = fmt.Errorf(`send {"granted": false}, or {"granted": true, "without": [ROLE, ...]}`)
	}
	var t *tenantControl
	if err == nil {
		t, err = c.one(r, body.Tenant)
	}
	if err == nil {
		err = t.consent(entra.Consent{Granted: *body.Granted, Without: body.Without})
	}
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	body.Tenant = t.name
	reply(w, http.StatusOK, body)
}

// serveCluster takes the own cluster of a tenant down and brings it back: POST {"down": true}.
func (c *control) serveCluster(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant string `json:"tenant"`
		Down   *bool  `json:"down"`
	}
	err := readJSON(w, r, &body)
	if err == nil && body.Down == nil {
		err = fmt.Errorf(`send {"down": true} or {"down": false}`)
	}
	var t *tenantControl
	if err == nil {
		t, err = c.one(r, body.Tenant)
	}
	if err == nil {
		err = t.down(*body.Down)
	}
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	body.Tenant = t.name
	reply(w, http.StatusOK, body)
}
