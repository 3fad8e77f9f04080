package statuspage

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// FleetHandler serves the page over all tenants, and below /tenants/ those of each.
type FleetHandler struct {
	fleet *Fleet
	pages *pages
	mux   *http.ServeMux
}

// NewFleetHandler makes a handler.
func NewFleetHandler(f *Fleet) (*FleetHandler, error) {
	p, err := newPages("fleet", "overview", "table", "record", "absent")
	if err != nil {
		return nil, err
	}
	h := &FleetHandler{fleet: f, pages: p, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /{$}", h.overview)
	h.mux.HandleFunc("GET /live", h.live)
	h.mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		stream(w, r, beat{shortest: shortestFleetPause, longest: longestFleetPause, changed: f.changes.next})
	})
	site{}.register(h.mux, "/tenants/{tenant}", h.with)
	h.mux.HandleFunc("GET /assets/{name}", asset)
	h.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { h.absent(w, r, "There is no such page.") })
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *FleetHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// with finds the site of the tenant that a request names.
func (h *FleetHandler) with(serve func(site, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("tenant")
		t, ok := h.fleet.find(name)
		if !ok {
			h.absent(w, r, "No tenant of this name is configured.")
			return
		}
		gone := func() bool {
			_, still := h.fleet.find(name)
			return !still
		}
		serve(site{pages: h.pages, board: t.board, reader: t.reader, tenant: name, root: rootOf(name), gone: gone}, w, r)
	}
}

func (h *FleetHandler) overview(w http.ResponseWriter, r *http.Request) {
	v := h.view(r)
	h.pages.show(w, "fleet", "frame", http.StatusOK, v)
}

// live is the part of the overview that changes. A reader who has it gets no copy.
func (h *FleetHandler) live(w http.ResponseWriter, r *http.Request) {
	out, err := h.pages.render("fleet", "main", h.view(r))
	if err != nil {
		http.Error(w, "the page cannot be rendered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(out.Bytes())
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.WriteTo(w) // the reader may have gone
}

func (h *FleetHandler) absent(w http.ResponseWriter, _ *http.Request, text string) {
	v := fleetView{view: view{Page: Page{Setup: h.fleet.common(Setup{}), Now: time.Now()}, Title: "Not found", Text: text}}
	h.pages.show(w, "absent", "frame", http.StatusNotFound, v)
}
