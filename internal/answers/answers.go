// Package answers describes HTTP answers that are not what was asked for: pages
// of proxies, redirects to other hosts, challenges. Of a body it quotes
// only a page's title.
package answers

import (
	"bytes"
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

// Looked is how much of a body is enough for Foreign.
const Looked = 64 << 10

// BOM is the byte order mark of UTF-8.
var BOM = []byte("\xef\xbb\xbf")

// Foreign says of an answer in which JSON is expected why it cannot be that; ""
// if it may be. head is the beginning of the decompressed body: all of it, if it
// has less than three bytes.
func Foreign(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "it is encoded as UTF-16"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "it is compressed more than once"
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, BOM), " \t\r\n")
	switch {
	case len(head) == 0:
		return "its body is empty"
	case head[0] == '<':
		return "it is " + Page(head)
	case head[0] != '{' && head[0] != '[':
		return "its body is neither a JSON object nor a JSON array"
	}
	return ""
}

var (
	title    = regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]*)`)
	mimeType = regexp.MustCompile(`^[a-z0-9.+-]+/[a-z0-9.+-]+$`)
)

// Page describes an HTML page, with its title, or an XML document.
func Page(text []byte) string {
	kind := "an XML document"
	if lower := bytes.ToLower(text[:min(len(text), 1024)]); bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<!doctype")) {
		kind = "an HTML page"
	}
	m := title.FindSubmatch(text)
	if m == nil {
		return kind
	}
	if t := OneLine(html.UnescapeString(string(m[1])), 120); t != "" {
		return fmt.Sprintf("%s titled %q", kind, t)
	}
	return kind
}

// Head is "HTTP 200 OK with Content-Type text/html".
func Head(r *http.Response) string {
	status := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.StatusCode, http.StatusText(r.StatusCode)))
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !mimeType.MatchString(t) {
		return status + " with no Content-Type"
	}
	return status + " with Content-Type " + t
}

// OneLine is text without line breaks and control characters, cut behind most
// bytes.
func OneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
