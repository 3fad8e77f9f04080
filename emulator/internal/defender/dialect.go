package defender

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// dialect is what is particular to one front.
type dialect interface {
	traits() traits
	// parse reads the body of a request.
	parse(body []byte) (request, *failure)
	// rows gives the writer of the row form.
	rows(columns []value.Column) rowWriter
	// envelope gives what goes before and behind the rows in the answer's body.
	envelope(columns []value.Column, c completion) (head, tail []byte)
	// fail sends an error.
	fail(w http.ResponseWriter, f *failure, ids exchange)
}

// traits are the plain facts about a front.
type traits struct {
	name        string
	paths       []string
	audiences   []string // of tokens
	role        string   // application permission
	hourly      bool     // has a quota of calls per hour
	endpoint    bool     // serves the tables of Defender for Endpoint only
	encodings   []string // that it offers, the one it prefers first
	contentType string   // of an answer
	bodyLimit   bool     // a proxy before it refuses large requests
}

// request is what a client asks for.
type request struct {
	query    string
	timespan string // "" for none
}

// completion is what is known when a query has ended.
type completion struct {
	rows    int
	bytes   int64         // of the rows as JSON
	cost    time.Duration // estimated
	scanned int64
}

// exchange identifies a request in headers and error bodies.
type exchange struct {
	requestID       string
	clientRequestID string
	at              time.Time
}

// failure is an error answer before a dialect has put it into words.
type failure struct {
	status   int
	code     string // of the documented list: BadRequest, Unauthorized, ...
	message  string
	roles    []string            // 403: the application permissions that the caller has
	throttle *callquota.Throttle // 429
	token    *tokenRefuse        // 401
	html     bool                // a proxy answers, not the service
}

// tokenRefuse says why a token was refused.
type tokenRefuse struct{ reason error }

func badRequest(message string) *failure {
	return &failure{status: http.StatusBadRequest, code: "BadRequest", message: message}
}

// queryFailure puts an error of the query evaluator into the words of the
// hunting APIs: Kusto's text and a sentence behind it.
func queryFailure(err error, oldText bool) *failure {
	var q *kql.Error
	switch {
	case errors.Is(err, errPreempted):
		return badRequest("Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again.")
	case errors.Is(err, errTimeout):
		return &failure{status: http.StatusGatewayTimeout, code: "UnknownError"}
	case errors.Is(err, errTooLarge) && oldText:
		return badRequest("Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again.")
	case errors.Is(err, errTooLarge):
		return badRequest("Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again.")
	case !errors.As(err, &q):
		return &failure{status: http.StatusInternalServerError, code: "InternalServerError", message: err.Error()}
	case q.Kind == kql.Syntax:
		return badRequest(q.Message + ". Fix syntax errors in your query.")
	case q.Kind == kql.Runtime:
		return badRequest(q.Message)
	default:
		return badRequest(q.Message + ". Fix semantic errors in your query.")
	}
}

// Errors that end a query at a limit.
var (
	errPreempted = errors.New("the query exceeds the processing time of one request")
	errTimeout   = errors.New("the query exceeds the running time of one request")
	errTooLarge  = errors.New("the result exceeds the size of one answer")
)

// htmlError is the page of the nginx proxy before the services.
func htmlError(w http.ResponseWriter, status int) {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if status == http.StatusRequestEntityTooLarge {
		title = "413 Request Entity Too Large" // nginx keeps the older name
	}
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", title, title)
}

// throttleMessage is the text of a 429, as seen on the older APIs and documented
// for the portal.
func throttleMessage(t *callquota.Throttle) string {
	if t.Kind == "cpu" {
		return fmt.Sprintf("You have exceeded processing resources allocated to this tenant. You can run queries again in %d seconds", t.Seconds())
	}
	return fmt.Sprintf("API calls quota exceeded! maximum allowed %d per %s", t.Most, clockText(t.Window))
}

// clockText is d as hh:mm:ss.
func clockText(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// isManagementCommand says whether text is a command rather than a query: its
// first character outside comments and blanks is a dot.
func isManagementCommand(text string) bool {
	for {
		text = strings.TrimLeft(text, " \t\r\n\ufeff")
		if !strings.HasPrefix(text, "//") {
			return strings.HasPrefix(text, ".")
		}
		_, rest, more := strings.Cut(text, "\n")
		if !more {
			return false
		}
		text = rest
	}
}

// missingRoles is the text of a 403.
func missingRoles(role string) string {
	return "Missing application roles. API required roles: " + role
}
