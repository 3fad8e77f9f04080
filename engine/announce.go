package engine

import "github.com/tvmexport/tvmexport"

func announcePlanned(h *tvmexport.Hooks, r tvmexport.Run, rows int64, slices int) {
	if h.Planned != nil {
		h.Planned(r, rows, slices)
	}
}

func announceFetched(h *tvmexport.Hooks, r tvmexport.Run, s tvmexport.Slice, a tvmexport.Answer) {
	if h.Fetched != nil {
		h.Fetched(r, s, a)
	}
}

func announceSplitting(h *tvmexport.Hooks, r tvmexport.Run, s tvmexport.Slice, why error) {
	if h.Splitting != nil {
		h.Splitting(r, s, why)
	}
}

func announcePublished(h *tvmexport.Hooks, r tvmexport.Run, rows int64) {
	if h.Published != nil {
		h.Published(r, rows)
	}
}

func announceCommitted(h *tvmexport.Hooks, r tvmexport.Run, rows int64) {
	if h.Committed != nil {
		h.Committed(r, rows)
	}
}
