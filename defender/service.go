package defender

import (
	"cmp"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport/internal/answers"
)

// Options make a Service. Credential must be set.
type Options struct {
	Credential azcore.TokenCredential
	Scope      string        // of tokens
	HTTPClient *http.Client  // nil is http.DefaultClient; its Timeout should be 0, since answers take minutes. Redirects to other hosts are not followed
	MaxWait    time.Duration // longest that one call waits for its budget, all its waits together
	Section    string        // of the configuration, which hints name
	Logger     *slog.Logger  // nil is silent

	// OnRetry receives each call that failed temporarily and is repeated after a
	// pause.
	OnRetry func(table, op string, in time.Duration, why error)
}

// Service makes the calls of one API. It is safe for concurrent use.
type Service struct {
	o        Options
	repeated repeatedFailures
	calls    atomic.Int64
	answered atomic.Int64
	took     atomic.Int64 // nanoseconds, of the answered calls
	bytes    atomic.Int64
}

// New makes a service. It makes no call.
func New(o Options) *Service {
	hc := *cmp.Or(o.HTTPClient, http.DefaultClient)
	hc.Transport = answers.SameHost(hc.Transport)
	o.HTTPClient = &hc
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &Service{o: o}
}

// Stats is what a service has done so far.
type Stats struct {
	Calls     int64         // sent, repeated ones too
	Throttled int64         // answered with 429
	Waited    time.Duration // that calls were held back by the quota, however many at once
	Bytes     int64         // of answers, decompressed
}

// Stats says what the service has done so far, with these budgets.
func (s *Service) Stats(budgets ...*Budget) Stats {
	out := Stats{Calls: s.calls.Load(), Bytes: s.bytes.Load()}
	for _, b := range budgets {
		b.mu.Lock()
		out.Throttled += b.throttled
		out.Waited += b.waited
		b.mu.Unlock()
	}
	return out
}

// Mean is how long the answered calls have taken on the average.
func (s *Service) Mean() time.Duration {
	n := s.answered.Load()
	if n == 0 {
		return 0
	}
	return time.Duration(s.took.Load() / n)
}
