package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func client(h http.HandlerFunc) *http.Client {
	return &http.Client{Transport: transport{handler: func(host string) http.Handler {
		if host != "service.example" {
			return nil
		}
		return h
	}}}
}

func TestTransportServes(t *testing.T) {
	c := client(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Test", "1")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		fmt.Fprintf(w, "%s %s %s %v: %s", r.Method, r.Host, r.RequestURI, r.TLS != nil, body)
	})
	resp, err := c.Post("https://Service.example/a%20b?c=d", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Test") != "1" || resp.Header.Get("X-Late") != "" {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	if got := string(body); got != "POST Service.example /a%20b?c=d true: hello" {
		t.Errorf("got %q", got)
	}
}

// The storage clients write header names in lower case.
func TestTransportReadsHeadersAsAWireDoes(t *testing.T) {
	c := client(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["x-answer"] = []string{r.Header.Get("x-question")}
	})
	r, err := http.NewRequest("GET", "https://service.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["x-question"] = []string{"1"}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("X-Answer"); got != "1" {
		t.Errorf("got %q", got)
	}
}

func TestTransportRefusesUnknownHosts(t *testing.T) {
	_, err := client(nil).Get("https://other.example/")
	if err == nil || !strings.Contains(err.Error(), `no service has the host "other.example"`) {
		t.Errorf("got %v", err)
	}
}

func TestTransportStreamsAndBreaksOff(t *testing.T) {
	c := client(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/at-once" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	})
	resp, err := c.Get("https://service.example/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", body, err)
	}
	if _, err := c.Get("https://service.example/at-once"); err == nil {
		t.Error("an answer that never began is no error")
	}
}

func TestTransportUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(20 * time.Minute):
			case <-r.Context().Done():
			}
			_, _ = io.WriteString(w, "late")
		})
		start := time.Now()
		resp, err := c.Get("https://service.example/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 20*time.Minute {
			t.Errorf("took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", "https://service.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// A client that gave up may use the body's memory again.
func TestTransportGivesTheBodyBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	c := client(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := r.Body.Read(make([]byte, 2)); err != nil {
			t.Error(err)
		}
		cancel()
		<-over
		_, err := r.Body.Read(make([]byte, 2))
		over <- err
	})
	r, err := http.NewRequestWithContext(ctx, "PUT", "https://service.example/", io.MultiReader(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(r); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	over <- nil
	if err := <-over; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the handler goes on reading: %v", err)
	}
}
