package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/datamanagement"
	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// Options says what a front is for.
type Options struct {
	// Engine answers queries and commands. It may be nil for an ingestion front.
	Engine *engine.Engine
	// DataManagement answers the commands of the ingestion service and takes
	// streaming ingestion. It may be nil for a front of the engine alone.
	DataManagement *datamanagement.Service
	// Ingest makes this the front of the ingestion service: everything goes to
	// DataManagement. Otherwise only the commands that it alone knows do, so
	// that one address can stand for both services, as clients expect of a
	// local one.
	Ingest bool
	// Authenticate finds who calls, or says why not, which is answered with
	// 401. nil admits everybody as the zero Principal.
	Authenticate func(*http.Request) (engine.Principal, error)
	Metadata     Metadata
	// Recorder receives every query and command: kusto-query, kusto-mgmt,
	// ingest-query or ingest-mgmt, and the text. It may be called from several
	// goroutines at once; nil is allowed.
	Recorder func(kind, text string)
	// Now is the clock of timestamps in answers; nil is time.Now.
	Now func() time.Time
}

// front serves one of the two services.
type front struct{ Options }

// maxBody bounds the body of a query or command, inline data included.
const maxBody = 64 << 20

// New is the handler of an engine's or an ingestion service's address.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Metadata = o.Metadata.filled()
	f := &front{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/rest/auth/metadata", f.serveMetadata)
	mux.Handle("POST /v1/rest/mgmt", f.signedIn(f.serveCommand))
	mux.Handle("POST /v1/rest/query", f.signedIn(f.serveQueryV1))
	mux.Handle("GET /v1/rest/query", f.signedIn(f.serveQueryV1))
	mux.Handle("POST /v2/rest/query", f.signedIn(f.serveQueryV2))
	mux.Handle("GET /v2/rest/query", f.signedIn(f.serveQueryV2))
	mux.Handle("POST /v1/rest/ingest/{database}/{table}", f.signedIn(f.serveStreamingIngest))
	mux.Handle("/", f.signedIn(f.serveUnknown))
	return mux
}

// serveUnknown refuses what the emulator has no answer to.
func (f *front) serveUnknown(x *exchange) {
	f.fail(x, "", &engine.Error{
		Code: "NotFound", Status: http.StatusNotFound, Permanent: true, Type: "Kusto.Data.Exceptions.KustoBadRequestException",
		Summary: "The resource was not found", Message: fmt.Sprintf("This emulator has no %s %s", x.Method, x.URL.Path),
	})
}

// exchange is one request of somebody who is signed in, and its answer.
type exchange struct {
	*http.Request
	principal       engine.Principal
	clientRequestID string
	activityID      string
	started         time.Time
	out             *body
	rows            int // of the table that is being sent, or of its fragment
}

// signedIn authenticates before serve is called.
func (f *front) signedIn(serve func(*exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{
			Request: r, clientRequestID: r.Header.Get("x-ms-client-request-id"),
			activityID: uuid.NewString(), started: f.Now().UTC(),
		}
		if x.clientRequestID == "" {
			x.clientRequestID = "unspecified;" + uuid.NewString()
		}
		w.Header().Set("x-ms-client-request-id", x.clientRequestID)
		w.Header().Set("x-ms-activity-id", x.activityID)
		x.out = newBody(w, r)
		if f.Authenticate != nil {
			var err error
			if x.principal, err = f.Authenticate(r); err != nil {
				f.refuseSignIn(w, x, err)
				return
			}
		}
		serve(x)
	})
}

// record tells the recorder a text.
func (f *front) record(kind, text string) {
	if f.Recorder == nil {
		return
	}
	service := "kusto-"
	if f.Ingest {
		service = "ingest-"
	}
	f.Recorder(service+kind, text)
}

// serveCommand is /v1/rest/mgmt.
func (f *front) serveCommand(x *exchange) {
	q, err := readRequest(x.out.w, x.Request)
	if err != nil {
		f.fail(x, "", err)
		return
	}
	f.record("mgmt", q.csl)
	if !f.Ingest && datamanagement.Owns(q.csl) && hasOwnName(x.Host) {
		f.fail(x, q.csl, errEngineOnly(q.csl, x.Host))
		return
	}
	result, err := f.command(x.Context(), x.call(q))
	if err != nil {
		f.fail(x, q.csl, err)
		return
	}
	f.sendV1(x, q.csl, result)
}

// command goes to the engine or to the ingestion service.
func (f *front) command(ctx context.Context, c engine.Call) (*engine.Result, error) {
	if f.DataManagement != nil && (f.Ingest || datamanagement.Owns(c.Text)) {
		return f.DataManagement.Command(ctx, c)
	}
	if f.Engine == nil {
		return nil, errNoEngine()
	}
	return f.Engine.Command(ctx, c)
}

// serveQueryV1 is /v1/rest/query.
func (f *front) serveQueryV1(x *exchange) {
	q, result, err := f.query(x)
	if err != nil {
		f.fail(x, q.csl, err)
		return
	}
	f.sendV1(x, q.csl, result)
}

// serveQueryV2 is /v2/rest/query.
func (f *front) serveQueryV2(x *exchange) {
	q, result, err := f.query(x)
	if err != nil {
		f.fail(x, q.csl, err)
		return
	}
	f.sendV2(x, q, result)
}

func (f *front) query(x *exchange) (request, *engine.Result, error) {
	q, err := readRequest(x.out.w, x.Request)
	if err != nil {
		return q, nil, err
	}
	f.record("query", q.csl)
	if f.Ingest || f.Engine == nil {
		return q, nil, errNoEngine()
	}
	if x.URL.Path == "/v2/rest/query" && isCommand(q.csl) {
		return q, nil, errCommandInV2
	}
	result, err := f.Engine.Query(x.Context(), x.call(q))
	return q, result, err
}

func (x *exchange) call(q request) engine.Call {
	return engine.Call{
		Principal: x.principal, Database: q.database, Text: q.csl,
		ClientRequestID: x.clientRequestID, ActivityID: x.activityID,
		Options: q.options, Parameters: q.parameters,
	}
}
