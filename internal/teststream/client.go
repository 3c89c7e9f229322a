package teststream

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ATAK's own figures.
const (
	pingAfter  = 15 * time.Second        // without a whole message from the server
	pingAgain  = 4500 * time.Millisecond // while none comes
	resetAfter = 25 * time.Second        // without a whole message from the server
	giveUp     = 60 * time.Second        // for the answer to a request of the negotiation
	maxMessage = 65536                   // its receive buffer
)

// Why ATAK itself ends a connection.
var (
	ErrSilent     = errors.New("no whole message came for 25 s")
	ErrUnanswered = errors.New("the request for another protocol was not answered within 60 s")
	ErrTooLong    = errors.New("a message is longer than 65536 bytes")
)

// Options say who a Client is and who is told what it hears.
type Options struct {
	UID, Callsign string
	// Protobuf has it take up the offer of version 1 of the protocol, if the server makes one.
	Protobuf bool
	// Heard, if not nil, is called with each message but pongs and those of the negotiation. It must not wait.
	Heard func(Message)
	// Told, if not nil, is called with the number of each position as it goes out. It must not wait.
	Told func(number int)
}

// Stats are what a Client has counted.
type Stats struct {
	Positions, Pings, Pongs int
	// Offers is how often it was offered protobuf.
	Offers int
	// Garbage is the number of bytes that belonged to no message it could read.
	Garbage int
	// Protobuf tells that the negotiation has ended with version 1.
	Protobuf bool
}

// Client is one end of a connection. Its methods may be called from any goroutine.
type Client struct {
	conn    net.Conn
	options Options
	changed chan struct{}
	every   atomic.Int64

	mu    sync.Mutex
	stats Stats

	// The rest belongs to Run.
	state     state
	lastWhole time.Time // when a message was complete last, be it one that it can read or not
	nextPing  time.Time
	nextFix   time.Time
	interval  time.Duration
	asked     time.Time
	held      []byte
	out       [][]byte
}

// state is how far the negotiation has come.
type state int

const (
	speaksXML state = iota
	waits           // for the answer to its request; meanwhile it sends nothing
	speaksProtobuf
)

// New returns a client on conn, which is connected and, where there is TLS, secured.
func New(conn net.Conn, o Options) *Client {
	return &Client{conn: conn, options: o, changed: make(chan struct{}, 1)}
}

// Report has the client tell its position now and again each time that so much has passed; 0 stops that.
func (c *Client) Report(every time.Duration) {
	c.every.Store(int64(every))
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Stats returns what has been counted so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

func (c *Client) count(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.stats)
}

// input is what one read brought.
type input struct {
	data []byte
	err  error
}

// Run speaks until ctx is done, and returns nil then; until ATAK would end the connection itself, and returns why; or
// until the connection ends, and returns what it ended with. The connection is closed when it returns. It can be called
// once.
func (c *Client) Run(ctx context.Context) error {
	inputs, writes, done := make(chan input), make(chan []byte), make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() { c.read(inputs, done) })
	both.Go(func() { c.write(writes) })
	defer both.Wait()
	defer c.conn.Close()
	defer close(done)
	defer close(writes)

	c.refresh()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, err := c.act(time.Now())
		if err != nil {
			return err
		}
		timer.Reset(time.Until(due))
		var feed chan []byte
		var next []byte
		if len(c.out) > 0 {
			feed, next = writes, c.out[0]
		}
		select {
		case <-ctx.Done():
			return nil
		case in := <-inputs:
			if err := c.take(in); err != nil {
				return err
			}
		case feed <- next:
			c.out = c.out[1:]
		case <-c.changed:
			c.interval = time.Duration(c.every.Load())
			c.nextFix = time.Now()
		case <-timer.C:
		}
	}
}

// act does all that is due and returns when the next thing will be.
func (c *Client) act(now time.Time) (time.Time, error) {
	reset := c.lastWhole.Add(resetAfter)
	if !now.Before(reset) {
		return reset, ErrSilent
	}
	if c.state == waits {
		end := c.asked.Add(giveUp)
		if !now.Before(end) {
			return end, ErrUnanswered
		}
		return earlier(end, reset), nil
	}
	if !now.Before(c.nextPing) {
		c.nextPing = now.Add(pingAgain)
		c.count(func(s *Stats) { s.Pings++ })
		c.send(ping(c.options, now))
	}
	due := earlier(reset, c.nextPing)
	if c.interval <= 0 {
		return due, nil
	}
	if !now.Before(c.nextFix) {
		c.nextFix = now.Add(c.interval)
		var number int
		c.count(func(s *Stats) { s.Positions++; number = s.Positions })
		if c.options.Told != nil {
			c.options.Told(number)
		}
		c.send(position(c.options, number, now))
	}
	return earlier(due, c.nextFix), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// send queues e in the form that is spoken.
func (c *Client) send(e event) {
	if c.state == speaksProtobuf {
		c.out = append(c.out, e.frame())
	} else {
		c.out = append(c.out, e.xml())
	}
}

// take reads the messages that are complete with what one read brought.
func (c *Client) take(in input) error {
	if len(in.data) > 0 {
		c.held = append(c.held, in.data...)
		for {
			m, ok, err := c.cut()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			c.hear(m)
		}
	}
	return in.err
}

// refresh begins anew the silence after which the client pings, and then resets the connection.
func (c *Client) refresh() {
	c.lastWhole = time.Now()
	c.nextPing = c.lastWhole.Add(pingAfter)
}

// hear does what one message asks for.
func (c *Client) hear(m Message) {
	switch {
	case m.Type == "t-x-c-t-r":
		c.count(func(s *Stats) { s.Pongs++ })
	case m.Type == "t-x-takp-v":
		c.count(func(s *Stats) { s.Offers++ })
		// A server may offer once; ATAK takes no second offer.
		if c.options.Protobuf && m.offers && c.state == speaksXML && c.asked.IsZero() {
			c.asked = time.Now()
			c.send(request(m.UID, c.asked))
			c.state = waits
		}
	case m.Type == "t-x-takp-r" && c.state == waits:
		c.state = speaksXML
		if m.status == "true" {
			c.state = speaksProtobuf
			c.count(func(s *Stats) { s.Protobuf = true })
		}
	case m.Type == "t-x-takp-r":
	case c.options.Heard != nil:
		c.options.Heard(m)
	}
}

// read is a goroutine that hands on what comes; the last input has an error.
func (c *Client) read(inputs chan<- input, done <-chan struct{}) {
	buf := make([]byte, maxMessage)
	for {
		n, err := c.conn.Read(buf)
		select {
		case inputs <- input{bytes.Clone(buf[:n]), err}:
		case <-done:
			return
		}
		if err != nil {
			return
		}
	}
}

// write is a goroutine that writes one message after the other. When a write fails it says nothing of it: the reader
// learns of it too, and first of all what the server still had to say.
func (c *Client) write(writes <-chan []byte) {
	var err error
	for b := range writes {
		if err == nil {
			_, err = c.conn.Write(b)
		}
	}
}
