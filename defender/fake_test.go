package defender

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer is what a fake service says to one call.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
	hangs  bool // never answers
	silent bool // never goes on after the header
}

// fake is a RoundTripper that answers by a function and notes the requests.
type fake struct {
	mu     sync.Mutex
	at     []time.Time
	sent   []*http.Request
	reply  func(n int) answer
	tokens int
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.at, f.sent = append(f.at, time.Now()), append(f.sent, r)
	n := len(f.at)
	f.mu.Unlock()
	a := f.reply(n)
	switch {
	case a.err != nil:
		return nil, a.err
	case a.hangs:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case a.silent:
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: silent{r.Context()}, Request: r}, nil
	}
	if a.status == 0 {
		a.status = 200
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func (f *fake) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens++
	return azcore.AccessToken{Token: "secret"}, nil
}

// silent is a body that never goes on.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (silent) Close() error               { return nil }

// setup is what a test changes of a caller.
type setup struct {
	Options
	quota  Quota
	atOnce int
	onWait func(cause string, until time.Time)
}

// caller makes calls of one service with one budget.
type caller struct {
	*Service
	*Budget
}

var plenty = Quota{PerMinute: 45, PerHour: 1500}

func (f *fake) caller(change func(*setup)) *caller {
	s := setup{
		Options: Options{Credential: f, HTTPClient: &http.Client{Transport: f}, MaxWait: 90 * time.Minute, Section: "defender"},
		quota:   plenty, atOnce: 5,
	}
	if change != nil {
		change(&s)
	}
	return &caller{New(s.Options), NewBudget(s.quota, s.atOnce, s.MaxWait, s.onWait)}
}

const good = `{"value":[]}`

// call is one whose answer is a JSON object.
func (c *caller) call() Call {
	return Call{
		Op: "fetch", Table: "DeviceInfo", Budget: c.Budget, Permission: "ThreatHunting.Read.All on Microsoft Graph", HandsOn: true,
		Request: func(ctx context.Context) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, "https://defender.example/api?key=signature", nil)
		},
		Read: func(b *Body) error {
			s, err := b.JSON()
			if err != nil {
				return err
			}
			if err := s.Value(nil); err != nil {
				return err
			}
			if err := s.End(); !errors.Is(err, io.EOF) {
				return errors.Join(err, errors.New("more follows"))
			}
			return nil
		},
	}
}

// fetch makes one call.
func (c *caller) fetch(ctx context.Context) error {
	_, err := c.Do(ctx, c.call())
	return err
}
