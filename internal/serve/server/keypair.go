package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// keyPair is a certificate with its key, read again when their files change:
// certificates are renewed while the program runs.
type keyPair struct {
	certificate, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]time.Time
}

// get is tls.Config.GetCertificate. A pair that cannot be read keeps the old one.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var stamp [2]time.Time
	for i, file := range []string{k.certificate, k.key} {
		if info, err := os.Stat(file); err == nil {
			stamp[i] = info.ModTime()
		}
	}
	if k.loaded != nil && stamp == k.stamp {
		return k.loaded, nil
	}
	pair, err := k.read()
	if err != nil {
		if k.loaded != nil {
			return k.loaded, nil
		}
		return nil, fmt.Errorf("serve.certificate: %w", err)
	}
	k.loaded, k.stamp = &pair, stamp
	return k.loaded, nil
}

func (k *keyPair) read() (tls.Certificate, error) {
	certificate, err := smallfile.Read(k.certificate, smallfile.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := smallfile.Read(k.key, smallfile.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certificate, key)
}
