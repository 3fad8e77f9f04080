package statuspage

import (
	"context"
	"net/http"
	"slices"
)

// Handler serves the pages of a board.
type Handler struct{ mux *http.ServeMux }

// NewHandler makes a handler. The function reads all that the ledger holds of one run;
// empty if nothing.
func NewHandler(b *Board, record func(ctx context.Context, table, run string) (Record, error)) (*Handler, error) {
	p, err := newPages("overview", "table", "record", "absent")
	if err != nil {
		return nil, err
	}
	only := site{pages: p, board: b, reader: Reader{Record: record}}
	h := &Handler{mux: http.NewServeMux()}
	only.register(h.mux, "", func(serve func(site, http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { serve(only, w, r) }
	})
	h.mux.HandleFunc("GET /assets/{name}", asset)
	h.mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		only.absent(w, "There is no such page.")
	})
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func find(p Page, name string) *Table {
	i := slices.IndexFunc(p.Tables, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Tables[i]
}
