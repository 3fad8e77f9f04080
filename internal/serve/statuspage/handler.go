package statuspage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// Handler serves the pages of a board.
type Handler struct {
	Board *Board
	// Record reads all that the ledger holds of one run; empty if nothing.
	Record func(ctx context.Context, table, run string) (Record, error)

	mux   *http.ServeMux
	pages map[string]*template.Template
	kept  records
}

// NewHandler makes a handler.
func NewHandler(b *Board, record func(ctx context.Context, table, run string) (Record, error)) (*Handler, error) {
	h := &Handler{Board: b, Record: record, mux: http.NewServeMux(), pages: map[string]*template.Template{}}
	stamp, err := digest(assets)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"overview", "table", "record", "absent"} {
		t, err := template.New("").Funcs(functions(stamp)).ParseFS(templates, "templates/frame.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("status page: %w", err)
		}
		h.pages[name] = t
	}
	h.mux.HandleFunc("GET /{$}", h.overview)
	h.mux.HandleFunc("GET /live", h.live)
	h.mux.HandleFunc("GET /events", h.events)
	h.mux.HandleFunc("GET /tables/{table}", h.table)
	h.mux.HandleFunc("GET /tables/{table}/runs/{run}", h.record)
	h.mux.HandleFunc("GET /assets/{name}", asset)
	h.mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		h.absent(w, "There is no such page.")
	})
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// view is what templates see.
type view struct {
	Page
	Title  string
	Live   bool // the page updates itself
	Table  *Table
	Run    *Run
	Record Record
	Text   string
}

func (h *Handler) overview(w http.ResponseWriter, _ *http.Request) {
	p := h.Board.Page()
	h.show(w, "overview", "frame", http.StatusOK, view{Page: p, Title: p.Summary(), Live: true})
}

// live is the part of the overview that changes.
func (h *Handler) live(w http.ResponseWriter, _ *http.Request) {
	h.show(w, "overview", "main", http.StatusOK, view{Page: h.Board.Page(), Live: true})
}

func (h *Handler) table(w http.ResponseWriter, r *http.Request) {
	p, name := h.Board.Page(), r.PathValue("table")
	t := find(p, name)
	if t == nil {
		h.absent(w, "No table of this name is configured.")
		return
	}
	h.show(w, "table", "frame", http.StatusOK, view{Page: p, Title: t.Name, Table: t})
}

func find(p Page, name string) *Table {
	i := slices.IndexFunc(p.Tables, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Tables[i]
}

func (h *Handler) record(w http.ResponseWriter, r *http.Request) {
	p, name, id := h.Board.Page(), r.PathValue("table"), r.PathValue("run")
	t := find(p, name)
	if t == nil {
		h.absent(w, "No table of this name is configured.")
		return
	}
	v := view{Page: p, Title: "Run " + id, Table: t}
	for i := range t.Runs {
		if t.Runs[i].ID == id {
			v.Run = &t.Runs[i]
		}
	}
	if v.Run == nil {
		h.absent(w, "This run is not among the newest runs of this table in the ledger.")
		return
	}
	var err error
	if v.Record, err = h.kept.get(name+"/"+id, func() (Record, error) { return h.Record(r.Context(), name, id) }); err != nil {
		v.Text = ProblemOf(err, p.Now).Text
	}
	h.show(w, "record", "frame", http.StatusOK, v)
}

func (h *Handler) absent(w http.ResponseWriter, text string) {
	h.show(w, "absent", "frame", http.StatusNotFound, view{Page: h.Board.Page(), Title: "Not found", Text: text})
}

func (h *Handler) show(w http.ResponseWriter, page, part string, code int, v view) {
	var out bytes.Buffer
	if err := h.pages[page].ExecuteTemplate(&out, part, v); err != nil {
		http.Error(w, "the page cannot be rendered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = out.WriteTo(w) // the reader may have gone
}

var kinds = map[string]string{"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}

func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := kinds[name]
	text, err := assets.ReadFile("assets/" + name)
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // its address names its content
	_, _ = w.Write(text)
}

// digest names the content of all assets.
func digest(files fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		h.Write(text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("status page: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

func functions(stamp string) template.FuncMap {
	return template.FuncMap{
		"asset": func(name string) string { return "/assets/" + name + "?" + stamp },
		"count": func(n any) string {
			switch n := n.(type) {
			case int:
				return figures.Count(int64(n))
			case int64:
				return figures.Count(n)
			}
			return fmt.Sprint(n)
		},
		"rows":  figures.Rows,
		"calls": func(n int64) string { return figures.Plural(int(n), "call") },
		"words": words,
		"scale": scale,
		"size":  figures.Size,
		"span":  figures.Span,
		"since": func(now, t time.Time) string { return figures.Span(now.Sub(t).Truncate(time.Second)) },
		"until": func(now, t time.Time) string { return figures.Span(t.Sub(now).Truncate(time.Second)) },
		"utc":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05") },
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"brief": func(now, t time.Time) string {
			if now.UTC().Format(time.DateOnly) == t.UTC().Format(time.DateOnly) {
				return t.UTC().Format("15:04")
			}
			return t.UTC().Format("2 Jan 15:04")
		},
		"iso":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"path": url.PathEscape,
		"pretty": func(text string) string {
			var out bytes.Buffer
			if json.Indent(&out, []byte(text), "", "  ") != nil {
				return text
			}
			return out.String()
		},
		"chart":      chart,
		"tableState": func(t Table, now time.Time) string { return string(t.State(now)) },
	}
}

// words is a name that may be wrapped between its words: before a capital letter that
// follows another letter.
func words(name string) template.HTML {
	var out strings.Builder
	start := 0
	for i := 1; i < len(name); i++ {
		if isUpper(name[i]) && (!isUpper(name[i-1]) || i+1 < len(name) && !isUpper(name[i+1])) {
			out.WriteString(template.HTMLEscapeString(name[start:i]) + "<wbr>")
			start = i
		}
	}
	return template.HTML(out.String() + template.HTMLEscapeString(name[start:])) // each part is escaped
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
