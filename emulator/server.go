package emulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Listen says where a Server listens. Only loopback addresses are allowed,
// since the emulator gives its secrets to every client.
type Listen struct {
	Defender string // address of hunting, sign-in and control; "" means 127.0.0.1:0
	Kusto    string // address of the cluster; "" means 127.0.0.1:0
	// Ingest is the address of the ingestion service. "" means the host of Kusto
	// with the next port, or any free port if Kusto has any.
	Ingest string
	// Storage is the address of blobs, queues and tables; "" means as for Ingest,
	// one port further.
	Storage string
}

// Server is an emulator on sockets.
type Server struct {
	*Emulator
	Ready Ready

	servers  []*http.Server
	clusters []*clusterServer // of single tenants
	serving  sync.WaitGroup
	unlock   func() error // releases Options.Dir
	ended    []error      // how each server ended; written before serving is done
}

// Start listens, serves in the background and returns when clients may come.
// Close the Server. The error names the address that could not be used.
func Start(o Options, l Listen) (s *Server, err error) {
	if o, err = o.filled(); err != nil {
		return nil, err
	}
	var listeners []net.Listener
	defer func() {
		if err != nil {
			for _, open := range listeners {
				_ = open.Close() // it served nobody
			}
		}
	}()
	kusto := ""
	for i, address := range []string{l.Defender, l.Kusto, l.Ingest, l.Storage} {
		if address == "" {
			address = "127.0.0.1:0"
			if i > 1 {
				if address, err = portAfter(kusto, l.Kusto, i-1); err != nil {
					return nil, err
				}
			}
		}
		listener, err := listenLoopback(address)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
		if i == 1 {
			kusto = listener.Addr().String()
		}
	}
	at := loopbackEndpoints(listeners[0].Addr().String(), kusto, listeners[2].Addr().String(),
		storageAddress(o.StorageHost, listeners[3].Addr().String()))
	if o.Eventhouse {
		at = at.eventhouse(o.TenantID)
	}
	at.own = map[string][2]string{}
	for _, t := range o.Tenants {
		if !t.OwnCluster {
			continue
		}
		for range 2 {
			listener, err := listenLoopback("127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			listeners = append(listeners, listener)
		}
		last := listeners[len(listeners)-2:]
		at.own[t.Name] = [2]string{"https://" + last[0].Addr().String(), "https://" + last[1].Addr().String()}
	}
	unlock := func() error { return nil }
	if o.Dir != "" {
		if unlock, err = lockDir(o.Dir); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, unlock())
			}
		}()
	}
	signIn, err := newCredentials(time.Now())
	if err != nil {
		return nil, err
	}
	e, err := build(o, at, signIn)
	if err != nil {
		return nil, err
	}
	authority, err := newAuthority(storageNames(o.StorageHost))
	if err == nil {
		e.ready.CA, err = authority.write(e.o.Dir)
	}
	if err == nil {
		err = signIn.write(e.o.Dir, time.Now(), &e.ready)
		e.leftovers = append(e.leftovers, e.ready.Certificate, e.ready.ExpiredCertificate, e.ready.FederatedToken)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	s = &Server{Emulator: e, unlock: unlock, Ready: e.ready, ended: make([]error, ownListeners)}
	serveClusters(s, listeners[ownListeners:], authority.config())
	for i, handler := range []http.Handler{e.Defender(), e.Kusto(), e.Ingest(), e.Storage()} {
		server := newServer(handler, authority.config())
		s.servers = append(s.servers, server)
		listener := listeners[i]
		s.serving.Go(func() { s.ended[i] = server.ServeTLS(listener, "", "") })
	}
	return s, nil
}

// ownListeners are those of Listen; the ones of the tenants' own clusters follow.
const ownListeners = 4

// serveClusters serves the own clusters of tenants, each on the next two listeners.
func serveClusters(s *Server, listeners []net.Listener, trust *tls.Config) {
	for _, o := range s.tenants.list {
		if o.cluster == nil {
			continue
		}
		c := &clusterServer{
			addresses: [2]string{hostOf(o.cluster.kusto), hostOf(o.cluster.ingest)},
			handlers:  [2]http.Handler{o.handler(s.Kusto()), o.handler(s.Ingest())},
			trust:     trust,
		}
		c.serve(listeners[:2])
		o.cluster.listen = c.listen
		s.clusters = append(s.clusters, c)
		listeners = listeners[2:]
	}
}

// Close ends the connections and the emulator.
func (s *Server) Close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	for _, c := range s.clusters {
		errs = append(errs, c.close())
	}
	s.serving.Wait()
	for _, err := range s.ended {
		if !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.Emulator.Close(), s.unlock())...)
}

// Serve is Start, then ready, then waiting for the end of ctx, then Close: all
// that a command needs.
func Serve(ctx context.Context, o Options, l Listen, ready func(Ready) error) error {
	s, err := Start(o, l)
	if err != nil {
		return err
	}
	if err := ready(s.Ready); err != nil {
		return errors.Join(err, s.Close())
	}
	<-ctx.Done()
	return s.Close()
}

// listenLoopback listens on address, which must be of this machine alone.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("emulator: the address %q is not HOST:PORT: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("emulator: the address %q is not a loopback address; use 127.0.0.1:PORT", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("emulator: listen on %s: %w; choose another port, or 0 for any", address, err)
	}
	return listener, nil
}

// portAfter is the address n ports after kusto; any port if the asked one is any.
func portAfter(kusto, asked string, n int) (string, error) {
	host, text, err := net.SplitHostPort(kusto)
	if err != nil {
		return "", fmt.Errorf("emulator: the address %q: %w", kusto, err)
	}
	if _, port, _ := net.SplitHostPort(asked); port == "" || port == "0" {
		return net.JoinHostPort(host, "0"), nil
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("emulator: the port of %q: %w", kusto, err)
	}
	return net.JoinHostPort(host, strconv.Itoa(port+n)), nil
}
