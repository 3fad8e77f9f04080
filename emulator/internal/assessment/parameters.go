package assessment

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The size of a page: rows by default, and at most.
const (
	defaultPage = 50_000
	mostPage    = 200_000
)

// parameters are what a request asks for.
type parameters struct {
	page  int
	top   int           // rows of an answer without a next page; 0 for pages
	valid time.Duration // of addresses of files; 0 for the usual time
	since time.Time     // of changes
	place *place        // where a page begins; nil: at the beginning of the newest snapshot
	given string        // sinceTime as it was sent
}

// place is where a page begins: a snapshot, one of its files, and a line of it. It is the
// content of a $skiptoken.
type place struct {
	ExportDefinition timePath
	ExportFileIndex  int
	LineStoppedAt    int
}

type timePath struct{ TimePath string }

// pathLayout is the form of TimePath, and of the folders of files.
const pathLayout = "2006-01-02/1504/"

func (p place) token() string {
	text, err := json.Marshal(p)
	if err != nil { // it consists of text and numbers
		return ""
	}
	return base64.StdEncoding.EncodeToString(text)
}

// readParameters reads the query of a request. Names are not case-sensitive. What this
// emulator does not do is refused.
func readParameters(raw string, asked set, files bool) (parameters, *failure) {
	p := parameters{page: defaultPage}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return p, invalid("The query of the request cannot be read.")
	}
	for name, values := range query {
		text := strings.TrimSpace(values[len(values)-1])
		var failed *failure
		known := strings.ToLower(name)
		if known == "sincetime" && asked.name != changes.name {
			known = "" // in examples of other calls too, but in no list of their parameters
		}
		switch known {
		case "pagesize":
			if p.page, err = strconv.Atoi(text); err != nil || p.page < 1 || p.page > mostPage {
				failed = invalid("pageSize must be a number from 1 to %d.", mostPage)
			}
		case "$top":
			if p.top, err = strconv.Atoi(text); err != nil || p.top < 1 {
				failed = invalid("$top must be a positive number.")
			}
		case "sasvalidhours", "$sasvalidhours":
			hours, err := strconv.Atoi(text)
			most := int(asked.sas.most / time.Hour)
			switch {
			case err != nil || hours < 1 || most > 0 && hours > most:
				failed = invalid("sasValidHours must be a number from 1 to %d.", most)
			case most > 0: // the other calls have no such parameter
				p.valid = time.Duration(hours) * time.Hour
			}
		case "sincetime":
			p.given = text
			if p.since, err = parseSince(text); err != nil {
				failed = invalid("sinceTime must be a time such as 2021-05-19T18:35:49.924Z.")
			}
		case "$skiptoken":
			p.place, failed = parsePlace(text)
		default:
			failed = invalid("The parameter '%s' is not supported.", name)
		}
		if failed != nil {
			return p, failed
		}
	}
	if asked.name == changes.name && p.given == "" && !files {
		return p, &failure{status: http.StatusBadRequest, code: "MissingRequiredParameter", message: "Parameter sinceTime is missing."}
	}
	return p, nil
}

// parseSince reads the documented form and its shorter ones.
func parseSince(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

func parsePlace(token string) (*place, *failure) {
	text, err := base64.StdEncoding.DecodeString(token)
	var p place
	if err != nil || json.Unmarshal(text, &p) != nil || p.ExportFileIndex < 0 || p.LineStoppedAt < 0 {
		return nil, invalid("The $skiptoken is not valid.")
	}
	return &p, nil
}
