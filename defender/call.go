package defender

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Call is one question to the service, which may take several requests.
type Call struct {
	Op, Table string // of errors, logs and hooks
	Budget    *Budget
	// Request makes the request, for each attempt again. The service adds the token,
	// and says which encodings it reads.
	Request func(ctx context.Context) (*http.Request, error)
	// Read takes the body of an answer with status 200. Its errors are about the
	// answer, which is requested again, except for those of HandedOn and those that
	// are a *tvmexport.Error: these say themselves what to do.
	Read func(*Body) error
	// Meaning says what a refusal means to this API, if that differs from what it
	// means to all; else it returns nil. Op and Table need not be set. nil: it never differs.
	Meaning func(Refusal) *tvmexport.Error

	Permission string    // the application permission that the call needs, and where it is granted
	Anonymous  bool      // the request carries its own right, and gets no token
	HandsOn    bool      // rows go on as they come: an answer that breaks off cannot be taken again
	Divisible  bool      // less can be asked for at a time: what takes too long is not repeated
	Whole      bool      // less cannot be asked for: no error has the action Split; what Do has not repeated itself has the action Retry
	Asked      slog.Attr // what is asked for, in the debug log of a refusal
}

// Refusal is an answer that is no success.
type Refusal struct {
	Status        int    // 200: an error object in the place of rows
	Code, Message string // of the error object; "" without one
	Text          []byte // the beginning of the body, decompressed; no error and no log quotes it
	Reason        error  // all that may be said of the answer, in one sentence
}

// Result is what a call cost.
type Result struct {
	Calls   int           // requests that were sent
	Request string        // the service's id of the last one
	Bytes   int64         // of the answer, decompressed
	Took    time.Duration // from the last request to the end of its answer
}
