package endpoint_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// revoked is a list of serials, whoever issued them.
type revoked map[string]bool

func (r revoked) Revoked(_ *x509.Certificate, serial *big.Int) bool { return r[serial.String()] }

// A world is an endpoint that serves on a loopback port, with its PKI and its log.
type world struct {
	t       testing.TB
	root    *testpki.Authority
	ca      *testpki.Authority
	server  tls.Certificate
	gate    *mtls.Gate
	e       *endpoint.Endpoint
	address string
	log     *logbook
	stop    func() // has Serve end, and waits for it

	mu      sync.Mutex // guards server and revoked
	revoked revoked
}

// newWorld starts an endpoint; change, if any, adjusts its Config.
func newWorld(t testing.TB, change func(*endpoint.Config)) *world {
	t.Helper()
	w := newPKI(t, time.Now)
	c := endpoint.Config{
		Gate: w.gate, Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), NoProtobuf: true,
		MaxEventsPerSecond: endpoint.NoLimit, MaxBytesPerSecond: endpoint.NoLimit,
	}
	if change != nil {
		change(&c)
	}
	w.e = endpoint.New(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	w.serve(l)
	return w
}

// newPKI is a world in which nothing is served yet.
func newPKI(t testing.TB, now func() time.Time) *world {
	t.Helper()
	w := &world{t: t, log: &logbook{}}
	w.root = testpki.NewRoot(t, "Valley Root")
	w.ca = w.root.Issuing(t, "Valley Issuing")
	w.server = w.ca.Server(t, "localhost", "127.0.0.1")
	w.gate = mtls.NewGate(w.trust(revoked{}), now)
	return w
}

func (w *world) serve(l net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.e.Serve(ctx, l) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("Serve returned %v", err)
		}
	})
	w.t.Cleanup(w.stop)
}

func (w *world) trust(r revoked) *mtls.Trust {
	return &mtls.Trust{Certificate: w.server, Issuers: []*x509.Certificate{w.ca.Cert}, Revocations: r}
}

// revoke swaps in a list with these certificates too and has the live sessions judged.
func (w *world) revoke(certs ...tls.Certificate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := revoked{}
	maps.Copy(r, w.revoked)
	for _, c := range certs {
		r[c.Leaf.SerialNumber.String()] = true
	}
	w.revoked = r
	w.gate.Swap(w.trust(r))
	w.e.Judge()
}

// reload swaps in another certificate of the server and has the live sessions judged.
func (w *world) reload() {
	next := w.ca.Server(w.t, "localhost", "127.0.0.1")
	w.mu.Lock()
	w.server = next
	w.mu.Unlock()
	w.revoke()
}

// config is how a client with this certificate dials. It presents it whatever CAs the server asks for.
func (w *world) config(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		RootCAs: w.root.Pool(), ServerName: "localhost",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil },
	}
}

// client connects a new client and waits until it is served.
func (w *world) client(name string) *client {
	w.t.Helper()
	return w.clientWith(w.ca.Client(w.t, name))
}

func (w *world) clientWith(cert tls.Certificate) *client {
	w.t.Helper()
	c := w.dial(w.config(cert))
	c.cert = cert
	c.settle()
	return c
}

// dial connects and reads nothing yet.
func (w *world) dial(config *tls.Config) *client {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.address, config)
	if err != nil {
		w.t.Fatalf("dialling: %v", err)
	}
	return newClient(w.t, conn)
}

// A client is one end of a connection, with events cut as ATAK cuts them.
type client struct {
	t    testing.TB
	conn net.Conn
	cert tls.Certificate
	held []byte
}

func newClient(t testing.TB, conn net.Conn) *client {
	c := &client{t: t, conn: conn}
	t.Cleanup(func() { conn.Close() })
	return c
}

// settle pings and waits for the answer: from then on the client is served. Of what came before it, the events are
// kept for next.
func (c *client) settle() {
	c.t.Helper()
	c.send(ping)
	var before []byte
	for {
		event, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for the pong: %v", err)
		}
		if isPong(event) {
			break
		}
		before = append(before, event...)
	}
	c.held = append(before, c.held...)
}

func (c *client) send(parts ...string) {
	c.t.Helper()
	for _, p := range parts {
		if _, err := io.WriteString(c.conn, p); err != nil {
			c.t.Fatalf("sending: %v", err)
		}
	}
}

// read returns the next event, up to and including "</event>".
func (c *client) read() (string, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 32<<10)
	for {
		if i := bytes.Index(c.held, []byte("</event>")); i >= 0 {
			event := string(c.held[:i+len("</event>")])
			c.held = c.held[i+len("</event>"):]
			return event, nil
		}
		n, err := c.conn.Read(buf)
		c.held = append(c.held, buf[:n]...)
		if err != nil && n == 0 {
			return "", err
		}
	}
}

func (c *client) next() string {
	c.t.Helper()
	event, err := c.read()
	if err != nil {
		c.t.Fatalf("waiting for an event: %v", err)
	}
	return event
}

func (c *client) expect(want ...string) {
	c.t.Helper()
	for i, w := range want {
		if got := c.next(); got != w {
			c.t.Fatalf("event %d is\n%.400s\nwant\n%.400s", i, got, w)
		}
	}
}

// expectNothing shows that nothing waits for the client: the answer to a ping is the next thing that comes.
func (c *client) expectNothing() {
	c.t.Helper()
	c.send(ping)
	if got := c.next(); !isPong(got) {
		c.t.Fatalf("got %.400s, want nothing but the pong", got)
	}
}

// expectEnd waits until the endpoint has ended the connection and returns how.
func (c *client) expectEnd() error {
	c.t.Helper()
	for {
		_, err := c.read()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			c.t.Fatal("the connection was not ended")
		}
		if err != nil {
			return err
		}
	}
}

const ping = `<event version="2.0" uid="test-ping" type="t-x-c-t" how="m-g" time="2026-01-01T00:00:00Z" ` +
	`start="2026-01-01T00:00:00Z" stale="2026-01-01T00:00:10Z"><point lat="0" lon="0" hae="0" ce="0" le="0"/></event>`

func isPong(event string) bool { return strings.Contains(event, `type="t-x-c-t-r"`) }

// position is where uid is, as the device itself says it.
func position(uid string, n int) string {
	return fmt.Sprintf(`<event version="2.0" uid="%s" type="a-f-G-U-C" how="m-g" time="2026-01-01T00:00:00Z" `+
		`start="2026-01-01T00:00:00Z" stale="2026-01-01T00:05:00Z"><point lat="%d" lon="0" hae="0" ce="0" le="0"/>`+
		`<detail><contact callsign="%s" endpoint="*:-1:stcp"/></detail></event>`, uid, n, strings.ToUpper(uid))
}

// repeated is where uid is, as a gateway says it.
func repeated(uid string, n int, stale time.Time) string {
	return fmt.Sprintf(`<event version="2.0" uid="%s" type="a-n-A" how="m-g" time="2026-01-01T00:00:00Z" `+
		`start="2026-01-01T00:00:00Z" stale="%s"><point lat="%d" lon="0" hae="0" ce="0" le="0"/></event>`,
		uid, stale.UTC().Format(time.RFC3339), n)
}

// chat is an event that is no position, of the given length.
func chat(n, length int) string {
	head := fmt.Sprintf(`<event version="2.0" uid="chat-%d" type="b-t-f" how="h-g-i-g-o" time="2026-01-01T00:00:00Z" `+
		`start="2026-01-01T00:00:00Z" stale="2026-01-02T00:00:00Z"><point lat="0" lon="0" hae="0" ce="0" le="0"/>`+
		`<detail><remarks>`, n)
	const tail = `</remarks></detail></event>`
	return head + strings.Repeat("x", max(0, length-len(head)-len(tail))) + tail
}

// eventually waits for what must become true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !f(); {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// A logbook keeps what a JSON handler writes.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines are the log's lines with this message.
func (l *logbook) lines(t testing.TB, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if m["msg"] == message {
			found = append(found, m)
		}
	}
	return found
}

// wait waits for the first line with this message.
func (l *logbook) wait(t testing.TB, message string) map[string]any {
	t.Helper()
	eventually(t, "log line "+message, func() bool { return len(l.lines(t, message)) > 0 })
	return l.lines(t, message)[0]
}
