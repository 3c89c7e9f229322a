//go:build unix

package endpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// serveBare serves with crypto/tls alone: what one client says is handed to all others, unseen. Of the counters it has
// only that of its sessions.
func serveBare(l net.Listener, cert tls.Certificate, ca *x509.Certificate) (stats func() endpoint.Stats) {
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	r := &relay{conns: make(map[*tls.Conn]struct{})}
	go r.serve(l, &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		SessionTicketsDisabled: true,
	})
	return r.stats
}

// A relay hands what it reads from a connection to all others.
type relay struct {
	mu    sync.RWMutex
	conns map[*tls.Conn]struct{}
}

func (r *relay) serve(l net.Listener, config *tls.Config) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			conn := tls.Server(raw, config)
			defer conn.Close()
			if conn.Handshake() != nil {
				return
			}
			r.mu.Lock()
			r.conns[conn] = struct{}{}
			r.mu.Unlock()
			defer func() {
				r.mu.Lock()
				delete(r.conns, conn)
				r.mu.Unlock()
			}()
			buf := make([]byte, 16<<10)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				r.mu.RLock()
				for other := range r.conns {
					if other != conn {
						other.Write(buf[:n])
					}
				}
				r.mu.RUnlock()
			}
		}()
	}
}

func (r *relay) stats() endpoint.Stats {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return endpoint.Stats{Sessions: len(r.conns)}
}
