package statuspage

import (
	"context"
	"net/http"
	"time"
)

// site is the pages of one board.
type site struct {
	pages  *pages
	board  *Board
	reader Reader
	tenant string      // its name in a fleet; "": there is one tenant
	root   string      // the path of its pages
	gone   func() bool // the tenant has left the fleet; nil: there is one tenant
}

// register adds the pages below a pattern to a mux. with finds the site of a request.
func (site) register(mux *http.ServeMux, below string, with func(func(site, http.ResponseWriter, *http.Request)) http.HandlerFunc) {
	mux.HandleFunc("GET "+below+"/{$}", with(site.overview))
	mux.HandleFunc("GET "+below+"/live", with(site.live))
	mux.HandleFunc("GET "+below+"/events", with(site.events))
	mux.HandleFunc("GET "+below+"/tables/{table}", with(site.table))
	mux.HandleFunc("GET "+below+"/tables/{table}/runs/{run}", with(site.record))
}

// view is what templates see.
type view struct {
	Page
	Name   string // of the tenant in a fleet; "": there is one tenant
	Root   string
	Title  string
	Live   bool // the page updates itself
	Table  *Table
	Run    *Run
	Record Record
	Text   string
	Unread string // why the runs could not be read; "" if they were
}

// view is a page of the site. What its board does not keep is read.
func (s site) view(ctx context.Context) view {
	v := view{Page: s.board.Page(), Name: s.tenant, Root: s.root}
	if s.reader.Runs != nil {
		v.Unread = s.addRuns(ctx, &v.Page)
	}
	return v
}

// titled gives the view a title, which begins with the tenant.
func (v view) titled(title string) view {
	if v.Title = title; v.Name != "" {
		v.Title = v.Name + ": " + title
	}
	return v
}

func (s site) overview(w http.ResponseWriter, r *http.Request) {
	v := s.view(r.Context())
	v.Live = true
	s.pages.show(w, "overview", "frame", http.StatusOK, v.titled(v.Summary()))
}

// live is the part of the overview that changes.
func (s site) live(w http.ResponseWriter, r *http.Request) {
	v := s.view(r.Context())
	v.Live = true
	s.pages.show(w, "overview", "main", http.StatusOK, v.titled(v.Summary()))
}

func (s site) table(w http.ResponseWriter, r *http.Request) {
	v := s.view(r.Context())
	if v.Table = find(v.Page, r.PathValue("table")); v.Table == nil {
		s.absent(w, "No table of this name is configured.")
		return
	}
	s.pages.show(w, "table", "frame", http.StatusOK, v.titled(v.Table.Name))
}

func (s site) record(w http.ResponseWriter, r *http.Request) {
	v, name, id := s.view(r.Context()), r.PathValue("table"), r.PathValue("run")
	if v.Table = find(v.Page, name); v.Table == nil {
		s.absent(w, "No table of this name is configured.")
		return
	}
	for i := range v.Table.Runs {
		if v.Table.Runs[i].ID == id {
			v.Run = &v.Table.Runs[i]
		}
	}
	if v.Run == nil {
		s.absent(w, "This run is not among the newest runs of this table in the ledger.")
		return
	}
	if s.reader.Record == nil {
		s.pages.show(w, "record", "frame", http.StatusOK, v.titled("Run "+id))
		return
	}
	var err error
	v.Record, err = s.pages.records.get(r.Context(), s.root+"/"+name+"/"+id, func() (Record, bool, error) {
		record, err := s.reader.Record(r.Context(), name, id)
		return record, len(record.Rows) > 0, err
	})
	if err != nil {
		v.Text = ProblemOf(err, v.Now).Text
	}
	s.pages.show(w, "record", "frame", http.StatusOK, v.titled("Run "+id))
}

func (s site) absent(w http.ResponseWriter, text string) {
	v := view{Page: s.board.Page(), Name: s.tenant, Root: s.root, Text: text}
	s.pages.show(w, "absent", "frame", http.StatusNotFound, v.titled("Not found"))
}

// events tells an open page when to ask again.
func (s site) events(w http.ResponseWriter, r *http.Request) {
	stream(w, r, beat{shortest: shortestPause, longest: longestPause, changed: s.board.Changed, tenant: s.tenant, gone: s.gone})
}

// runsTime bounds how long a page waits for the runs of its tenant.
const runsTime = 10 * time.Second

// addRuns adds the runs that the board does not keep. They are read once for each time
// that the board was read from the ledger. It returns why there are none; the page then
// shows what the board keeps.
func (s site) addRuns(ctx context.Context, p *Page) (problem string) {
	if p.Ledger.Read.IsZero() || p.Ledger.Err != nil {
		return "" // the page says why
	}
	runs, err := s.pages.runs.get(ctx, s.root+" "+p.Ledger.Read.Format(time.RFC3339Nano), func() (map[string][]Run, bool, error) {
		ctx, cancel := context.WithTimeout(ctx, runsTime)
		defer cancel()
		runs, err := s.reader.Runs(ctx)
		return runs, err == nil, err
	})
	if err != nil {
		return ProblemOf(err, p.Now).Text
	}
	for i := range p.Tables {
		if list := runs[p.Tables[i].Name]; len(list) > 0 {
			p.Tables[i].Runs = list
		}
	}
	return ""
}
