package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server is a listener that is open.
type Server struct {
	URL string // of the status page

	http     *http.Server
	listener net.Listener
	warn     string
}

// WriteTimeout bounds how long an answer may take from the request to its last
// byte, so that a reader who does not read holds nothing. Streams put it off with
// each event.
const WriteTimeout = time.Minute

// Open listens. Mistakes in the options are refused before.
func Open(ctx context.Context, o Options, logger *slog.Logger) (*Server, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	secure, err := o.tls()
	if err != nil {
		return nil, err
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, mistake(fmt.Errorf("serve.listen: %w; is another process using this address?", err))
	}
	s := &Server{listener: l, URL: "http://" + l.Addr().String() + "/"}
	if secure != nil {
		s.listener, s.URL = tls.NewListener(l, secure), "https://"+l.Addr().String()+"/"
	}
	if o.plainToken() {
		s.warn = "the token of serve crosses the network unencrypted unless a proxy adds TLS; set serve.certificate and serve.key"
	}
	s.http = bounded(Handler(o), logger)
	return s, nil
}

// bounded is a server that waits for no client for long: not for a request, and
// not until one has read its answer.
func bounded(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: WriteTimeout,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(debugLines{logger}, "", 0),
	}
}

// Handler is what is served: health to everyone, the rest behind the guard.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if o.Ready != nil && o.Ready() != nil {
			// Why is for those who may read.
			http.Error(w, "not ready; the status page says why", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", newGuard(o))
	return headers(mux)
}

// closing is how long answers that are under way may take when the server ends.
const closing = 3 * time.Second

// Serve answers until ctx ends. Contexts of requests end with it, so that
// streams end too.
func (s *Server) Serve(ctx context.Context, logger *slog.Logger) error {
	if s.warn != "" {
		logger.WarnContext(ctx, s.warn)
	}
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if s.http.Shutdown(last) != nil {
			_ = s.http.Close() // what does not end in time is cut
		}
	}()
	err := s.http.Serve(s.listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-ended
		return nil
	}
	return fmt.Errorf("serve the status page: %w", err)
}

// Close ends a server that never served.
func (s *Server) Close() error { return s.listener.Close() }

// debugLines takes what net/http complains about: clients that go away.
type debugLines struct{ to *slog.Logger }

// Write implements io.Writer.
func (d debugLines) Write(line []byte) (int, error) {
	d.to.Debug("http", "said", string(line))
	return len(line), nil
}
