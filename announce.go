package tvmexport

func announcePlanned(h *Hooks, r Run, rows int64, slices int) {
	if h.Planned != nil {
		h.Planned(r, rows, slices)
	}
}

func announceFetched(h *Hooks, r Run, s Slice, a Answer) {
	if h.Fetched != nil {
		h.Fetched(r, s, a)
	}
}

func announceSplitting(h *Hooks, r Run, s Slice, why error) {
	if h.Splitting != nil {
		h.Splitting(r, s, why)
	}
}

func announcePublished(h *Hooks, r Run, rows int64) {
	if h.Published != nil {
		h.Published(r, rows)
	}
}

func announceCommitted(h *Hooks, r Run, rows int64) {
	if h.Committed != nil {
		h.Committed(r, rows)
	}
}
