package emulator

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// newServer is a server whose broken connections are nobody's concern: they are what faults are for.
func newServer(handler http.Handler, trust *tls.Config) *http.Server {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         trust.Clone(), // a server changes it
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

// clusterServer serves the own cluster of a tenant on two addresses that do not change, also
// after it was down. Its methods may be called from several goroutines at once.
type clusterServer struct {
	addresses [2]string // of the cluster and of its ingestion
	handlers  [2]http.Handler
	trust     *tls.Config

	mu      sync.Mutex
	servers []*http.Server // none while it is down
	serving sync.WaitGroup
}

// serve answers on listeners at the addresses.
func (c *clusterServer) serve(listeners []net.Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, l := range listeners {
		server := newServer(c.handlers[i], c.trust)
		c.servers = append(c.servers, server)
		c.serving.Go(func() { _ = server.ServeTLS(l, "", "") }) // it ends when it is closed
	}
}

// listen opens the listeners again, or closes them with all connections.
func (c *clusterServer) listen(up bool) error {
	if !up {
		return c.close()
	}
	var listeners []net.Listener
	for _, address := range c.addresses {
		l, err := listenLoopback(address)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close() // it served nobody
			}
			return err
		}
		listeners = append(listeners, l)
	}
	c.serve(listeners)
	return nil
}

func (c *clusterServer) close() error {
	c.mu.Lock()
	servers := c.servers
	c.servers = nil
	c.mu.Unlock()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Close())
	}
	c.serving.Wait()
	return errors.Join(errs...)
}
