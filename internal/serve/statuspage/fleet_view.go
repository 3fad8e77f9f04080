package statuspage

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// tenantsOnPage is how many tenants the page over all shows at a time.
const tenantsOnPage = 100

// fleetView is what the template of the page over all tenants sees.
type fleetView struct {
	view
	Filter   filter
	All      int // tenants
	Troubled int // of them
	Busy     int // of them: are being exported
	Newest   time.Time
	Named    int // tenants of the name in the filter
	Counts   []stateCount
	Found    int      // tenants that the filter shows
	Tenants  []Tenant // on this page
	Paging   paging
	Workers  *Workers
}

// filter is which tenants are shown.
type filter struct {
	State TenantState // "": all
	Name  string      // a part of the name, or of the id; "": all
}

// stateCount is how many tenants are in a state.
type stateCount struct {
	State    TenantState
	N        int
	Selected bool
	URL      string
}

// paging is one page of several, and the addresses of those around it.
type paging struct {
	N, Of        int
	First, Last  int // tenants
	Before, Next string
}

func filterOf(r *http.Request) (f filter, page int) {
	q := r.URL.Query()
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil {
		page = 1
	}
	return filter{State: TenantState(q.Get("state")), Name: strings.TrimSpace(q.Get("name"))}, page
}

// names says whether a tenant has the name.
func (f filter) names(t Tenant) bool {
	name := strings.ToLower(f.Name)
	return strings.Contains(strings.ToLower(t.Name), name) || strings.Contains(strings.ToLower(t.ID), name)
}

// url is the address of a page of what the filter shows.
func (f filter) url(page int) string {
	q := url.Values{}
	for key, value := range map[string]string{"state": string(f.State), "name": f.Name} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// view is the page over all tenants that a request asks for.
func (h *FleetHandler) view(r *http.Request) fleetView {
	now := time.Now()
	filter, page := filterOf(r)
	f := h.fleet
	v := viewOf(f.assess(now), filter, page)
	v.view = view{Page: Page{Setup: f.common(Setup{}), Now: now}, Live: true}
	f.mu.RLock()
	v.Stopping, v.Reload = f.stopping, f.reload
	f.mu.RUnlock()
	if f.setup.Workers != nil {
		w := f.setup.Workers()
		v.Workers = &w
	}
	for i := range v.Tenants {
		if ask := v.Tenants[i].askQuota; ask != nil {
			v.Tenants[i].Quota = ask()
		}
	}
	v.Title = v.Summary()
	return v
}

// viewOf chooses what is shown of the tenants, which are sorted.
func viewOf(list []Tenant, f filter, page int) fleetView {
	v := fleetView{Filter: f, All: len(list)}
	by := map[TenantState]int{}
	var found []Tenant
	for _, t := range list {
		if t.State.Troubled() {
			v.Troubled++
		}
		if t.Exporting > 0 {
			v.Busy++
		}
		if t.Newest.After(v.Newest) {
			v.Newest = t.Newest
		}
		if !f.names(t) {
			continue
		}
		v.Named++
		by[t.State]++
		if f.State == "" || t.State == f.State {
			found = append(found, t)
		}
	}
	for _, s := range tenantStates {
		v.Counts = append(v.Counts, stateCount{State: s, N: by[s], Selected: f.State == s, URL: filter{s, f.Name}.url(1)})
	}
	v.Found = len(found)
	p := paging{Of: max(1, (len(found)+tenantsOnPage-1)/tenantsOnPage)}
	p.N = min(max(page, 1), p.Of)
	from := (p.N - 1) * tenantsOnPage
	v.Tenants = slices.Clone(found[from:min(from+tenantsOnPage, len(found))])
	p.First, p.Last = min(from+1, len(found)), from+len(v.Tenants)
	if p.N > 1 {
		p.Before = f.url(p.N - 1)
	}
	if p.N < p.Of {
		p.Next = f.url(p.N + 1)
	}
	v.Paging = p
	return v
}

// Summary is the whole, in one sentence.
func (v fleetView) Summary() string {
	all := figures.Plural(v.All, "tenant")
	switch {
	case v.Stopping:
		return "Stopping; confirmed batches are kept"
	case v.All == 0:
		return "No tenant is configured"
	case v.Troubled == 1:
		return "1 of " + all + " needs attention"
	case v.Troubled > 1:
		return figures.Count(int64(v.Troubled)) + " of " + all + " need attention"
	}
	return "No problems in " + all
}

// Tone is the kind of the summary: good, bad or busy.
func (v fleetView) Tone() string {
	switch {
	case v.Stopping:
		return "busy"
	case v.Troubled > 0 || v.Reload.Err != "":
		return "bad"
	}
	return "good"
}

// Everything is the address of the page without its state.
func (v fleetView) Everything() string { return filter{Name: v.Filter.Name}.url(1) }
