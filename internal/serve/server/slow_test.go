package server

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

// pipes is a listener whose connections are pipes: what is written waits until
// it is read.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that sends slowly or does not read is let go, and soon: of answers
// and of streams.
func TestSlowClientsAreLetGo(t *testing.T) {
	for _, tt := range []struct {
		name, send string
		reads      int // bytes before it stops
		most       time.Duration
	}{
		{"no request", "", 0, 2 * time.Minute},
		{"a part of the headers", "GET / HTTP/1.1\r\nHost: localhost\r\n", 0, 11 * time.Second},
		{"a part of the body", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", 0, WriteTimeout + time.Second},
		{"an answer that is not read", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n", 0, WriteTimeout + time.Second},
		{"an answer that is read in part", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n", 10_000, WriteTimeout + time.Second},
		{"a stream that is not read", "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", 0, WriteTimeout + time.Second},
		{"a stream that is read in part", "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", 500, 3 * time.Minute},
		{"nothing after an answer", "GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n", 1 << 20, 3 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				page, err := statuspage.NewHandler(statuspage.NewBoard(statuspage.Setup{}), nil)
				if err != nil {
					t.Fatal(err)
				}
				mux := http.NewServeMux()
				mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "small") })
				mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
					for range 1000 {
						if _, err := w.Write(make([]byte, 10_000)); err != nil {
							return
						}
					}
				})
				mux.Handle("/", page)
				listener := &pipes{make(chan net.Conn), make(chan struct{})}
				s := bounded(Handler(Options{Listen: "127.0.0.1:0", Handler: mux}), slog.New(slog.DiscardHandler))
				served := make(chan error, 1)
				go func() { served <- s.Serve(listener) }()
				ours, theirs := net.Pipe()
				gone := &watched{Conn: theirs, closed: make(chan struct{})}
				listener.incoming <- gone
				began := time.Now()
				if _, err := io.WriteString(ours, tt.send); err != nil {
					t.Fatal(err)
				}
				_ = ours.SetReadDeadline(began.Add(tt.most))
				_, _ = io.CopyN(io.Discard, ours, int64(tt.reads))
				select {
				case <-gone.closed:
				case <-time.After(time.Until(began.Add(tt.most))):
					t.Errorf("the connection is open after %s", time.Since(began))
				}
				_ = ours.Close()
				_ = s.Close()
				<-served
			})
		})
	}
}

// watched tells when the server closes the connection.
type watched struct {
	net.Conn
	closed chan struct{}
	once   bool
}

func (c *watched) Close() error {
	if !c.once {
		c.once = true
		close(c.closed)
	}
	return c.Conn.Close()
}

// A stream that is read goes on beyond all time limits.
func TestAStreamThatIsReadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, err := statuspage.NewHandler(statuspage.NewBoard(statuspage.Setup{}), nil)
		if err != nil {
			t.Fatal(err)
		}
		listener := &pipes{make(chan net.Conn), make(chan struct{})}
		s := bounded(Handler(Options{Listen: "127.0.0.1:0", Handler: page}), slog.New(slog.DiscardHandler))
		served := make(chan error, 1)
		go func() { served <- s.Serve(listener) }()
		ours, theirs := net.Pipe()
		listener.incoming <- theirs
		if _, err := io.WriteString(ours, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for buffer := make([]byte, 4096); time.Since(began) < time.Hour; {
			if _, err := ours.Read(buffer); err != nil {
				t.Fatalf("the stream ends after %s: %v", time.Since(began), err)
			}
		}
		_ = ours.Close()
		_ = s.Close()
		<-served
		synctest.Wait()
	})
}
