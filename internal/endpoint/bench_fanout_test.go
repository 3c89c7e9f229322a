//go:build unix

package endpoint_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A crowd is clients of one server, of which the first sends to all others.
type crowd struct {
	b       *testing.B
	server  *benched
	sender  *tls.Conn
	message []byte   // what the sender sends, over and over
	hear    [][]byte // what each other client hears of it
	conns   []*tls.Conn
}

// newCrowd connects clients, of which so many speak protobuf; the sender is one of them where all are.
func newCrowd(b *testing.B, kind string, clients, framed int) *crowd {
	b.Helper()
	c := &crowd{b: b, server: startBenched(b, kind)}
	xml := []byte(chat(0, 600))
	frame := []byte(frameOf(b, string(xml)))
	if kind == bareServer {
		framed = min(framed, clients) / clients * clients // it hands on what it gets: frames where all speak them
	}
	c.message = xml
	if framed == clients {
		c.message = frame
	}
	for i := range clients {
		conn := c.server.dial()
		b.Cleanup(func() { conn.Close() })
		hear := xml
		if i >= clients-framed {
			hear = frame
			if kind == anyEndpoint {
				goOver(b, conn)
			}
		} else if kind == anyEndpoint {
			skipEvent(b, conn) // the offer
		}
		if i == 0 {
			c.sender = conn
			continue
		}
		c.conns, c.hear = append(c.conns, conn), append(c.hear, hear)
	}
	time.Sleep(100 * time.Millisecond) // all have joined
	return c
}

// goOver has a client speak protobuf.
func goOver(b *testing.B, conn *tls.Conn) {
	b.Helper()
	skipEvent(b, conn)
	if _, err := io.WriteString(conn, request("1")); err != nil {
		b.Fatal(err)
	}
	skipEvent(b, conn)
}

// skipEvent reads one event, and nothing behind it.
func skipEvent(b *testing.B, conn *tls.Conn) {
	b.Helper()
	var got []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(got, []byte("</event>")) {
		if _, err := io.ReadFull(conn, one); err != nil {
			b.Fatal(err)
		}
		got = append(got, one...)
	}
}

// send has events sent in writes of burst events, never more than window writes ahead of the slowest client, and returns
// the deliveries for each second of the server's CPU time.
func (c *crowd) send(events, burst, window int) float64 {
	c.b.Helper()
	writes := (events + burst - 1) / burst
	data := bytes.Repeat(c.message, burst)
	ahead := make(chan struct{}, window)
	arrived := make([]atomic.Int32, writes)
	before := c.server.cpu()
	// An event that is lost ends the benchmark, which would wait for it else.
	deadline, cut := time.Now().Add(2*time.Minute), make(chan error, len(c.conns))
	c.sender.SetWriteDeadline(deadline)
	var receiving sync.WaitGroup
	for i, conn := range c.conns {
		receiving.Go(func() {
			conn.SetReadDeadline(deadline)
			buf := make([]byte, 64<<10)
			size := burst * len(c.hear[i])
			for got, next := 0, 0; next < writes; {
				n, err := conn.Read(buf[:min(len(buf), writes*size-got)])
				if err != nil {
					cut <- fmt.Errorf("after %d of %d bytes: %w", got, writes*size, err)
					return
				}
				for got += n; next < writes && got >= (next+1)*size; next++ {
					if int(arrived[next].Add(1)) == len(c.conns) {
						<-ahead
					}
				}
			}
		})
	}
	for range writes {
		select {
		case ahead <- struct{}{}:
		case err := <-cut:
			c.b.Fatalf("%s: a receiver was cut %v", c.server.kind, err)
		}
		if _, err := c.sender.Write(data); err != nil {
			c.b.Fatal(err)
		}
	}
	receiving.Wait()
	select {
	case err := <-cut:
		c.b.Fatalf("%s: a receiver was cut %v", c.server.kind, err)
	default:
	}
	return float64(writes*burst*len(c.conns)) / seconds(c.server.cpu()-before)
}

// BenchmarkFanOut compares the deliveries for each second of the server's CPU time, for events of 600 bytes that one client
// sends to all others: in writes of one event or of as many as fill a TLS record. With a window of one, everybody is idle
// when an event comes, as in a quiet net.
func BenchmarkFanOut(b *testing.B) {
	for _, clients := range []int{50, 200} {
		for _, mode := range []struct {
			name   string
			framed int
			least  float64
		}{{"xml", 0, 0.65}, {"protobuf", clients, 0.65}, {"mixed", clients / 2, 0.45}} {
			for _, pace := range []struct{ events, burst, window int }{{400, 1, 1}, {4000, 1, 256}, {10800, 27, 8}} {
				name := fmt.Sprintf("clients=%d/%s/events-per-write=%d/window=%d", clients, mode.name, pace.burst, pace.window)
				b.Run(name, func(b *testing.B) {
					kind := anyEndpoint
					if mode.framed == 0 {
						kind = xmlEndpoint
					}
					crowds := map[string]*crowd{kind: newCrowd(b, kind, clients, mode.framed), bareServer: newCrowd(b, bareServer, clients, mode.framed)}
					events := pace.events * 50 / clients
					ratio := compare(b, "deliveries/server-cpu-s", func(kind string) float64 {
						return crowds[kind].send(events, pace.burst, pace.window)
					}, kind)
					atLeast(b, "ratio", ratio, mode.least)
				})
			}
		}
	}
}
