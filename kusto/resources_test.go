package kusto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/kusto/landing"
)

func resourceRows(rows ...string) string {
	return `{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"ResourceTypeName","DataType":"String","ColumnType":"string"},` +
		`{"ColumnName":"StorageRoot","DataType":"String","ColumnType":"string"}],"Rows":[` + strings.Join(rows, ",") + `]}]}`
}

// For each wrong answer to one of the two commands, Land ends within its context,
// with an error that says what to do and contains no signature. When the endpoint
// works again, the next upload of the same client succeeds.
func TestLandWithWrongAnswersOfIngestion(t *testing.T) {
	const (
		container = `["TempStorage","https://store.example/temp?sv=1&sig=SECRET"]`
		queue     = `["SecuredReadyForAggregationQueue","https://store.example/ready?sv=1&sig=SECRET"]`
		wait      = 3 * time.Minute
	)
	both := []string{landing.AskToken, landing.AskResources}
	cases := map[string]struct {
		commands []string
		rule     faults.Rule
		cause    tvmexport.Cause
		says     []string
		is       error
	}{
		"slow":           {both, faults.Rule{Delay: faults.Duration(time.Hour)}, tvmexport.Quota, nil, context.DeadlineExceeded},
		"429":            {both, faults.Rule{Status: 429}, tvmexport.Quota, []string{"land DeviceTvmSoftwareInventory"}, nil},
		"503":            {both, faults.Rule{Status: 503}, tvmexport.Unknown, []string{"503"}, nil},
		"403":            {both, faults.Rule{Status: 403}, tvmexport.Permission, []string{"Table Ingestor on the landing table"}, nil},
		"empty":          {both, faults.Rule{Status: 204}, tvmexport.Rejected, []string{"204"}, nil},
		"no token":       {both[:1], faults.Rule{DropRows: 1000}, tvmexport.Unknown, []string{"0 rows instead of one"}, nil},
		"null token":     {both[:1], faults.Rule{Values: "null"}, tvmexport.Unknown, []string{landing.AskToken, "the token is empty", "kusto.ingest"}, nil},
		"no rows":        {both[1:], faults.Rule{DropRows: 1000}, tvmexport.Unknown, []string{landing.AskResources, "none of its 0 rows has the type TempStorage", "kusto.ingest", "proxy"}, nil},
		"null values":    {both[1:], faults.Rule{Values: "null"}, tvmexport.Unknown, []string{"has the type TempStorage", "kusto.ingest"}, nil},
		"null":           {both, faults.Rule{Status: 200, Body: "null"}, tvmexport.Usage, []string{"kusto.ingest", "does not answer like a Kusto endpoint"}, nil},
		"no queue":       {both[1:], faults.Rule{Status: 200, Body: resourceRows(container)}, tvmexport.Unknown, []string{"none of its 1 rows has the type SecuredReadyForAggregationQueue", "kusto.ingest"}, nil},
		"no container":   {both[1:], faults.Rule{Status: 200, Body: resourceRows(queue)}, tvmexport.Unknown, []string{"has the type TempStorage", "kusto.ingest"}, nil},
		"not https":      {both[1:], faults.Rule{Status: 200, Body: resourceRows(queue, strings.Replace(container, "https", "http", 1))}, tvmexport.Unknown, []string{"the root of a TempStorage is not an https URI", "kusto.ingest"}, nil},
		"not a URI":      {both[1:], faults.Rule{Status: 200, Body: resourceRows(container, strings.Replace(queue, "https://", "https://%zz:", 1))}, tvmexport.Unknown, []string{"the root of a SecuredReadyForAggregationQueue is not an https URI"}, nil},
		"no path":        {both[1:], faults.Rule{Status: 200, Body: resourceRows(container, strings.Replace(queue, "/ready", "/", 1))}, tvmexport.Unknown, []string{"with a path"}, nil},
		"other columns":  {both, faults.Rule{Status: 200, Body: strings.NewReplacer("StorageRoot", "Root", "ResourceTypeName", "Type").Replace(resourceRows(container))}, tvmexport.Unknown, []string{"is missing or is not a string"}, nil},
		"HTML":           {both, faults.Rule{Status: 200, Body: "<html><title>Guest network</title>sig=SECRET</html>"}, tvmexport.Usage, []string{`"Guest network"`, "a proxy"}, nil},
		"cut":            {both, faults.Rule{CutAfter: 100}, tvmexport.Unknown, []string{"kusto.ingest"}, nil},
		"ends early":     {both, faults.Rule{TruncateJSON: true}, tvmexport.Unknown, nil, nil},
		"an old cluster": {both, faults.Rule{Status: 400, Body: `{"error":{"code":"BadRequest","@message":"Cannot get ingestion resources from this service endpoint.","@permanent":true}}`}, tvmexport.Usage, []string{"kusto.ingest is the ingestion URI"}, nil},
	}
	onStage(t, func(s stage) {
		for name, tt := range cases {
			for _, command := range tt.commands {
				s := connected(s.T, s.emulator) // a process of its own
				rule := tt.rule
				rule.Endpoint, rule.Match = faults.IngestMgmt, command
				_, err := s.emulator.Faults().Add(rule)
				s.must(err)
				run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
				began := time.Now()
				ctx, cancel := context.WithTimeout(s.Context(), wait)
				err = s.client.Land(ctx, batch(run, 1, `{"DeviceId":"1"}`))
				cancel()
				if took := time.Since(began); err == nil || took > wait || tvmexport.CauseOf(err) != tt.cause || tt.is != nil && !errors.Is(err, tt.is) {
					s.Fatalf("%s, %s: after %s: cause %d, %v; want cause %d", command, name, took, tvmexport.CauseOf(err), err, tt.cause)
				}
				for _, words := range tt.says {
					if !strings.Contains(err.Error(), words) {
						s.Errorf("%s, %s: %v does not say %q", command, name, err, words)
					}
				}
				if strings.Contains(err.Error(), "sig=") || strings.Contains(err.Error(), "SECRET") {
					s.Errorf("%s, %s: a signature is quoted: %v", command, name, err)
				}
				s.emulator.Faults().Clear()
				if err := s.client.Land(s.Context(), batch(run, 1, `{"DeviceId":"1"}`)); err != nil {
					s.Errorf("%s, %s: after the fault: %v", command, name, err)
				}
			}
		}
	})
}

// commands counts the two commands that the ingestion endpoint receives.
func (s stage) commands() func() map[string]int {
	var mu sync.Mutex
	seen := map[string]int{}
	s.emulator.Faults().Observe(func(e faults.Event) {
		if e.Endpoint == faults.IngestMgmt && !e.Done {
			mu.Lock()
			defer mu.Unlock()
			for _, text := range []string{landing.AskToken, landing.AskResources} {
				if strings.Contains(e.Text, text) {
					seen[text]++
				}
			}
		}
	})
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		out := map[string]int{}
		for text, n := range seen {
			out[text] = n
		}
		return out
	}
}

// Two uploads that start at the same time share the answers that one of them
// requests, also if the endpoint is slow. No goroutine waits for a mutex: the
// bubble's clock would stop.
func TestUploadsAtOnceWithSlowIngestion(t *testing.T) {
	onStage(t, func(s stage) {
		_, err := s.emulator.Faults().Add(faults.Rule{Endpoint: faults.IngestMgmt, Delay: faults.Duration(232 * time.Second), Count: 3})
		s.must(err)
		asked := s.commands()
		run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		var g errgroup.Group
		for n := range 2 {
			g.Go(func() error { return s.client.Land(s.Context(), batch(run, n+1, fmt.Sprintf(`{"DeviceId":"%d"}`, n))) })
		}
		// The context of a third one ends while the first one waits for answers.
		g.Go(func() error {
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(s.Context(), 30*time.Second)
			defer cancel()
			if err := s.client.Land(ctx, batch(run, 3, `{"DeviceId":"3"}`)); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("after 30 s: %w", err)
			}
			return nil
		})
		s.must(g.Wait())
		time.Sleep(2 * time.Minute) // the SDK's timer passes
		if got := asked(); got[landing.AskResources] != 1 || got[landing.AskToken] != 1 {
			s.Errorf("asked %v", got)
		}
	})
}

// The SDK itself sends nothing to the endpoint, for hours. The next upload replaces
// a client that is older than queueLife. A failure of the endpoint between uploads
// has no effect.
func TestQueueIsPreparedAgainBeforeItsAnswersExpire(t *testing.T) {
	onStage(t, func(s stage) {
		asked := s.commands()
		run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		n := 0
		land := func(want int) {
			s.Helper()
			n++
			s.must(s.client.Land(s.Context(), batch(run, n, fmt.Sprintf(`{"DeviceId":"%d"}`, n))))
			if got := asked(); got[landing.AskToken] != want || got[landing.AskResources] != want {
				s.Errorf("upload %d: asked %v, want each %d times", n, got, want)
			}
		}
		land(1)
		time.Sleep(landing.QueueLife - time.Minute)
		land(1)
		time.Sleep(time.Minute)
		land(2)
		_, err := s.emulator.Faults().Add(faults.Rule{Endpoint: faults.IngestMgmt, Status: 503})
		s.must(err)
		time.Sleep(3 * time.Hour)
		s.emulator.Faults().Clear()
		land(3)
	})
}

// slowMetadata answers the sign-in metadata after a minute, and nothing else.
type slowMetadata struct{}

func (slowMetadata) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/auth/metadata") {
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		_, _ = io.WriteString(w, `{"AzureAD":{"LoginEndpoint":"https://login.microsoftonline.com","KustoServiceResourceId":"https://kusto.kusto.windows.net"}}`)
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// Clients that wait for the sign-in metadata of one cluster wait under their own
// contexts, though they share the SDK's cache of it.
func TestClientsWithSlowMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g errgroup.Group
		for range 2 {
			c, err := New(t.Context(), Options{Cluster: "https://slow-metadata.westeurope.kusto.windows.net", Database: "d", HTTPClient: &http.Client{Transport: slowMetadata{}}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			g.Go(func() error {
				_, err := c.Inspect().Scope(t.Context())
				return err
			})
			g.Go(func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				if _, err := c.Inspect().Scope(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
					return fmt.Errorf("after %s: %w", time.Since(began), err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}
