//go:build unix

package endpoint_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
)

// besiege has one client more that does not read at all, and another that floods; lift has both gone.
func (s *benched) besiege() (lift func()) {
	s.b.Helper()
	deaf := s.dial()
	// Else the system would read megabytes in its place.
	deaf.NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
	ctx, cancel := context.WithCancel(context.Background())
	var flooding sync.WaitGroup
	flooding.Go(func() { s.flood(ctx) })
	return func() {
		cancel()
		deaf.NetConn().Close()
		flooding.Wait()
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
