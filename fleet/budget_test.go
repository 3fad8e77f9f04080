package fleet_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/fleet"
)

// cluster answers after a second and remembers how many requests it had at the same time.
type cluster struct {
	mu           sync.Mutex
	inside, most map[string]int // by kind of request
}

func (c *cluster) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := strings.ToLower(r.URL.Host) + r.URL.Path
	c.mu.Lock()
	c.inside[kind]++
	c.most[kind] = max(c.most[kind], c.inside[kind])
	c.mu.Unlock()
	time.Sleep(time.Second)
	c.mu.Lock()
	c.inside[kind]--
	c.mu.Unlock()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func TestBudgetBoundsCommandsOfEachCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{inside: map[string]int{}, most: map[string]int{}}
		transport := fleet.NewBudget(2).Transport(c)
		var wait sync.WaitGroup
		for range 6 {
			for _, url := range []string{"https://a.example/v1/rest/mgmt", "https://B.example/v1/rest/mgmt", "https://b.example/v1/rest/mgmt", "https://a.example/v2/rest/query"} {
				wait.Go(func() {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
					if err != nil {
						t.Error(err)
						return
					}
					// The answers are not read to their end: the slot is free without that.
					if _, err := transport.RoundTrip(r); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		// B.example and b.example are one cluster.
		if c.most["a.example/v1/rest/mgmt"] != 2 || c.most["b.example/v1/rest/mgmt"] != 2 || c.most["a.example/v2/rest/query"] != 6 {
			t.Errorf("at the same time: %v", c.most)
		}
	})
}

// A command that waits ends with its request, and closes the body as every transport does.
func TestBudgetGivesUpWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{inside: map[string]int{}, most: map[string]int{}}
		transport := fleet.NewBudget(1).Transport(c)
		first, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://a.example/v1/rest/mgmt", nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = transport.RoundTrip(first) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		body := &closing{Reader: strings.NewReader("x")}
		second, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://a.example/v1/rest/mgmt", body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transport.RoundTrip(second); err == nil || !body.closed {
			t.Errorf("error %v, body closed: %t", err, body.closed)
		}
		time.Sleep(2 * time.Second)
	})
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}
