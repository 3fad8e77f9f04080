package emulator

import (
	"errors"
	"net/http"

	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// moveShare is the share of devices that POST /move changes without a body.
const moveShare = 0.05

// serveMove changes rows at once: POST, or POST {"share": x} for a share of the
// devices, and then it says how many they were.
func (c *control) serveMove(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant string   `json:"tenant"` // "" means all
		Share  *float64 `json:"share"`
	}
	err := readJSON(w, r, &body)
	if err != nil && !errors.Is(err, errNoBody) {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	share, silent := moveShare, body.Share == nil
	if !silent {
		share = *body.Share
	}
	if !(share > 0 && share <= 1) {
		replyError(w, http.StatusBadRequest, `send {"share": x} with x above 0 and at most 1, or no body`)
		return
	}
	list, err := c.several(r, body.Tenant)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	var all struct {
		Changed int `json:"changed"`
		Added   int `json:"added"`
		Retired int `json:"retired"`
	}
	for _, t := range list {
		did := t.move(share)
		all.Changed, all.Added, all.Retired = all.Changed+did.Changed, all.Added+did.Added, all.Retired+did.Retired
	}
	if silent {
		reply(w, http.StatusOK, struct{}{})
		return
	}
	reply(w, http.StatusOK, all)
}

// serveDrift changes the schema of a table: POST {"table": name, ...}.
func (c *control) serveDrift(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant string `json:"tenant"`
		Table  string `json:"table"`
		tenant.Drift
	}
	if err := readJSON(w, r, &body); err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	t, err := c.one(r, body.Tenant)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	columns, err := t.drift(body.Table, body.Drift)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	now := make([]tenant.NewColumn, 0, len(columns))
	for _, c := range columns {
		now = append(now, tenant.NewColumn{Name: c.Name, Type: c.Kind.String()})
	}
	reply(w, http.StatusOK, struct {
		Table   string             `json:"table"`
		Columns []tenant.NewColumn `json:"columns"`
	}{body.Table, now})
}
