//go:build unix

package endpoint_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// besiege has one client more that does not read at all, and another that floods; lift has both gone.
func (s *benched) besiege() (lift func()) {
	s.b.Helper()
	deaf, err := tls.DialWithDialer(&net.Dialer{Control: narrow}, "tcp", s.address, s.config)
	if err != nil {
		s.b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var flooding sync.WaitGroup
	flooding.Go(func() { s.flood(ctx) })
	return func() {
		cancel()
		deaf.NetConn().Close()
		flooding.Wait()
	}
}

// felt fails unless the server has had much wait for the deaf client, or has cut it.
func (s *benched) felt() {
	s.b.Helper()
	if of := s.stats(); of.Longest < 100 && of.Ended[endpoint.Slow]+of.Ended[endpoint.Stalled] == 0 {
		s.b.Errorf("%s: %d events wait for the client that does not read", s.kind, of.Longest)
	}
}

// flood says as much as it can until ctx is done, and comes back as often as it is cut.
func (s *benched) flood(ctx context.Context) {
	event := []byte(chat(0, 600))
	dialer := tls.Dialer{Config: s.config}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", s.address)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.b.Errorf("%s: the flood cannot go on: %v", s.kind, err)
			return
		}
		under := conn.(*tls.Conn).NetConn()
		stop := context.AfterFunc(ctx, func() { under.Close() }) // a write may be waiting
		go io.Copy(io.Discard, conn)                             // who does not read is another one
		for err == nil {
			_, err = conn.Write(event)
		}
		stop()
		under.Close()
	}
}
