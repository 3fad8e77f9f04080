package statuspage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// pages renders pages, and keeps what was read for them.
type pages struct {
	templates map[string]*template.Template
	records   kept[Record]
	runs      kept[map[string][]Run]
}

// newPages parses the templates of the names.
func newPages(names ...string) (*pages, error) {
	h := &pages{templates: map[string]*template.Template{}}
	h.runs.patience = runsTime
	stamp, err := digest(assets)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := template.New("").Funcs(functions(stamp)).ParseFS(templates, "templates/frame.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("status page: %w", err)
		}
		h.templates[name] = t
	}
	return h, nil
}

// render is a part of a page.
func (h *pages) render(page, part string, v any) (*bytes.Buffer, error) {
	var out bytes.Buffer
	err := h.templates[page].ExecuteTemplate(&out, part, v)
	return &out, err
}

func (h *pages) show(w http.ResponseWriter, page, part string, code int, v any) {
	out, err := h.render(page, part, v)
	if err != nil {
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
		"rows":   figures.Rows,
		"calls":  func(n int64) string { return figures.Plural(int(n), "call") },
		"plural": figures.Plural,
		"words":  words,
		"scale":  scale,
		"size":   figures.Size,
		"span":   figures.Span,
		"since":  func(now, t time.Time) string { return figures.Span(now.Sub(t).Truncate(time.Second)) },
		"until":  func(now, t time.Time) string { return figures.Span(t.Sub(now).Truncate(time.Second)) },
		"utc":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05") },
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"brief":  brief,
		"ago":    ago,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"path":   url.PathEscape,
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

// brief is a time of this day, or a day with it.
func brief(now, t time.Time) string {
	if now.UTC().Format(time.DateOnly) == t.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04")
	}
	return t.UTC().Format("2 Jan 15:04")
}

// ago is how long ago something was, to the minute: a page of many such times changes
// rarely.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	if d < time.Minute {
		return "under 1m"
	}
	return figures.Span(d.Truncate(time.Minute))
}
