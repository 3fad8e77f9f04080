package emulator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// serveSilence makes a device stop reporting: POST {"device": id}.
func (c *control) serveSilence(w http.ResponseWriter, r *http.Request) {
	c.serveDevice(w, r, func(t *tenantControl, id string) (string, error) { return id, t.silence(id) })
}

// serveReinstall lets a device join under another id and the old one stop reporting: POST
// {"device": id}. It answers {"device": new id}.
func (c *control) serveReinstall(w http.ResponseWriter, r *http.Request) {
	c.serveDevice(w, r, func(t *tenantControl, id string) (string, error) { return t.reinstall(id) })
}

// serveRetire makes a device leave at once: POST {"device": id}.
func (c *control) serveRetire(w http.ResponseWriter, r *http.Request) {
	c.serveDevice(w, r, func(t *tenantControl, id string) (string, error) { return id, t.retire(id) })
}

// serveDevice does something with a device and answers the id that it has then.
func (c *control) serveDevice(w http.ResponseWriter, r *http.Request, do func(t *tenantControl, id string) (string, error)) {
	var body struct {
		Tenant string `json:"tenant,omitempty"`
		Device string `json:"device"`
	}
	err := readJSON(w, r, &body)
	var t *tenantControl
	if err == nil {
		t, err = c.one(r, body.Tenant)
	}
	if err == nil {
		body.Device, err = do(t, body.Device)
	}
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, body)
}

// serveVanished answers the rows of a data set that vanished between two times, and why:
// GET ?q=NAME&from=TIME&to=TIME. Without from it begins with the oldest step that is kept, and without
// to it ends now.
func (c *control) serveVanished(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("q") == "" {
		replyError(w, http.StatusBadRequest, "give the name of a data set as ?q=, such as TvmSoftwareVulnerabilities")
		return
	}
	var between [2]time.Time
	for i, name := range []string{"from", "to"} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		var err error
		if between[i], err = time.Parse(time.RFC3339Nano, text); err != nil {
			replyError(w, http.StatusBadRequest, fmt.Sprintf("%s is %q; it is a time such as 2026-11-20T06:00:00Z", name, text))
			return
		}
	}
	c.serveRows(w, r, func(ctx context.Context, name string) (result, error) {
		t, err := c.one(r, "")
		if err != nil {
			return result{}, err
		}
		return t.vanished(ctx, name, between[0], between[1])
	})
}

// Vanished is the rows of a data set of the export APIs that vanished after one time and
// up to another one, with the reason: the columns of the documented key, RbacGroupId, VanishedAt
// and Reason. A zero to is now. Steps of the last hundred days are kept.
func (t Tenant) Vanished(ctx context.Context, name string, from, to time.Time) (Answer, error) {
	r, err := vanished(ctx, t.organisation.data, name, from, to)
	if err != nil {
		return Answer{}, err
	}
	return r.answer()
}

func vanished(ctx context.Context, t *tenant.Tenant, name string, from, to time.Time) (result, error) {
	if to.IsZero() {
		to = t.Now()
	}
	rows := t.Vanished(name, from, to)
	if rows == nil {
		return result{}, fmt.Errorf("there is no data set %q of which rows vanish; there are %q", name, tenant.ExportNames())
	}
	return result{columns: rows.Columns(), rows: rows.Scan(ctx, kql.Request{})}, nil
}
