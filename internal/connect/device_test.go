package connect_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/connect"
	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// world is a PKI and a place to listen.
type world struct {
	t             testing.TB
	root, issuing *testpki.Authority
	server        tls.Certificate
	client        tls.Certificate
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, root: testpki.NewRoot(t, "Valley Root")}
	w.issuing = w.root.Issuing(t, "Valley Issuing")
	w.server = w.issuing.Server(t, "localhost", "127.0.0.1")
	w.client = w.issuing.Client(t, "alice", testpki.Serial(big.NewInt(0x1234)))
	return w
}

// at returns options for a server at an address.
func (w *world) at(address string) connect.Options {
	w.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		w.t.Fatal(err)
	}
	return connect.Options{Host: host, Port: n, Identity: w.client, Authorities: w.issuing.Chain(), Timeout: patience}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serve takes one connection after another and does with it as it is told.
func serve(t testing.TB, do func(net.Conn)) string {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				do(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// config is that of a server that asks for a client's certificate and verifies it.
func (w *world) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{w.server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: w.issuing.Pool()}
}

// over serves TLS and then does as it is told.
func over(config *tls.Config, do func(*tls.Conn)) func(net.Conn) {
	return func(raw net.Conn) {
		conn := tls.Server(raw, config)
		if conn.Handshake() == nil {
			do(conn)
		}
		conn.Close()
	}
}

// answer sends head, reads up to the ping and sends tail.
func answer(head string, tail func(pingUID string) string) func(*tls.Conn) {
	return func(conn *tls.Conn) {
		fmt.Fprint(conn, head)
		r := bufio.NewReader(conn)
		for {
			piece, err := r.ReadString('>')
			if err != nil {
				return
			}
			if i := strings.Index(piece, `uid="`); i >= 0 && strings.Contains(piece, `type="t-x-c-t"`) {
				uid, _, _ := strings.Cut(piece[i+5:], `"`)
				fmt.Fprint(conn, tail(uid))
				break
			}
		}
		// The device leaves first.
		_, _ = r.ReadByte()
		for {
			if _, err := r.ReadByte(); err != nil {
				return
			}
		}
	}
}

func pong(string) string { return string(cot.Pong(time.Now())) }

const offer = `<?xml version="1.0"?><event version="2.0" uid="v" type="t-x-takp-v" how="m-g" ` +
	`time="2026-03-14T09:26:53Z" start="2026-03-14T09:26:53Z" ` +
	`stale="2026-03-14T09:33:08Z"><point lat="0" lon="0" hae="0" ce="999999" ` +
	`le="999999"/><detail><TakControl><TakProtocolSupport version='1'/></TakControl></detail></event>`

func TestADeviceConnectsToOurOwnEndpoint(t *testing.T) {
	w := newWorld(t)
	gate := mtls.NewGate(&mtls.Trust{Certificate: w.server, Issuers: []*x509.Certificate{w.issuing.Cert}, Revocations: none{}}, time.Now)
	l := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	e := endpoint.New(endpoint.Config{Gate: gate})
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(ctx, l) }()
	met, err := connect.Device(context.Background(), w.at(l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	if met.Version != "TLS 1.3" || met.Cipher == "" || met.Address != l.Addr().String() {
		t.Errorf("met %s with %s at %s", met.Version, met.Cipher, met.Address)
	}
	if !met.Server.Equal(w.server.Leaf) || len(met.Sent) != 2 || len(met.Chain) != 3 || !met.Chain[2].Equal(w.root.Cert) {
		t.Errorf("met %v, who sent %d certificates; chain of %d", met.Server.Subject, len(met.Sent), len(met.Chain))
	}
	if !met.NameMatches || met.NameFault != "" || !met.AskedForCertificate || !met.OffersProtobuf || met.Echoed {
		t.Errorf("met %+v", met)
	}
	if met.Handshake <= 0 || met.Latency <= 0 || met.Latency > patience {
		t.Errorf("handshake %s, latency %s", met.Handshake, met.Latency)
	}
	// The position was taken for one: the endpoint counts it beside the ping, and drops nothing.
	if s := e.Stats(); s.EventsIn != 2 || len(s.Dropped) != 0 {
		t.Errorf("the endpoint took %d events in and dropped %v", s.EventsIn, s.Dropped)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

type none struct{}

func (none) Revoked(*x509.Certificate, *big.Int) bool { return false }

type every struct{}

func (every) Revoked(*x509.Certificate, *big.Int) bool { return true }

func TestARevokedDeviceIsToldSo(t *testing.T) {
	w := newWorld(t)
	gate := mtls.NewGate(&mtls.Trust{Certificate: w.server, Issuers: []*x509.Certificate{w.issuing.Cert}, Revocations: every{}}, time.Now)
	address := serve(t, over(gate.Config(), answer("", pong)))
	met, err := connect.Device(context.Background(), w.at(address))
	expect(t, address, err, `talking to ADDRESS: the server refused the device (TLS alert "bad certificate"): it `+
		`does not take the client's certificate; `+
		`servers in Go say so of a revoked one too, and others of one that they cannot read: the server's log tells`)
	var refusal *connect.Refusal
	if !errors.As(err, &refusal) || !refusal.ByServer || refusal.Alert != "bad certificate" {
		t.Errorf("refusal %+v", refusal)
	}
	if met.Server == nil || met.Version != "TLS 1.3" {
		t.Errorf("what was met before is lost: %+v", met)
	}
}

func expect(t *testing.T, address string, err error, want string) {
	t.Helper()
	want = strings.ReplaceAll(want, "ADDRESS", address)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWhatIsMet(t *testing.T) {
	w := newWorld(t)
	event := strings.Replace(strings.Replace(offer, "t-x-takp-v", "a-f-G-U-C", 1), `uid="v"`, `uid="other"`, 1)
	tests := []struct {
		name   string
		config func(*tls.Config)
		do     func(*tls.Conn)
		holds  func(connect.Met) bool
	}{
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, answer("", pong),
			func(m connect.Met) bool { return m.Version == "TLS 1.2" }},
		{"protobuf offered", nil, answer(offer, pong),
			func(m connect.Met) bool { return m.OffersProtobuf && m.Events == 0 }},
		{"protobuf of another version", nil, answer(strings.Replace(offer, `version='1'`, `version='2'`, 1), pong),
			func(m connect.Met) bool { return !m.OffersProtobuf }},
		{"events of others", nil, answer(event+"\n"+event, pong), func(m connect.Met) bool { return m.Events == 2 }},
		{"broken events of others", nil, answer("<event><point></event>", pong),
			func(m connect.Met) bool { return m.Events == 1 && m.Malformed == 1 }},
		{"the ping sent back", nil, answer("", func(uid string) string {
			return strings.Replace(strings.Replace(offer, "t-x-takp-v", "t-x-c-t", 1), `uid="v"`, `uid="`+uid+`"`, 1)
		}), func(m connect.Met) bool { return m.Echoed }},
		{"another's ping", nil, answer(strings.Replace(offer, "t-x-takp-v", "t-x-c-t", 1), pong),
			func(m connect.Met) bool { return !m.Echoed && m.Events == 1 }},
		{"no certificate asked for", func(c *tls.Config) { c.ClientAuth = tls.NoClientCert }, answer("", pong),
			func(m connect.Met) bool { return !m.AskedForCertificate }},
		{"leaf alone sent", func(c *tls.Config) {
			c.Certificates = []tls.Certificate{{Certificate: w.server.Certificate[:1], PrivateKey: w.server.PrivateKey}}
		}, answer("", pong), func(m connect.Met) bool { return len(m.Sent) == 1 && len(m.Chain) == 3 }},
		{"another name", func(c *tls.Config) {
			c.Certificates = []tls.Certificate{w.issuing.Server(t, "tak.example.org", "192.0.2.7")}
		}, answer("", pong),
			func(m connect.Met) bool {
				return !m.NameMatches && m.NameFault == `the server's certificate is for "tak.example.org, `+
					`192.0.2.7", and not for "127.0.0.1": iTAK, WinTAK and browsers may refuse it`
			}},
		{"no name", func(c *tls.Config) { c.Certificates = []tls.Certificate{w.issuing.Leaf(t, "fts")} }, answer("",
			pong),
			func(m connect.Met) bool {
				return m.NameFault == `the server's certificate names no host at all, and "127.0.0.1" is wanted: `+
					`iTAK, WinTAK and browsers may refuse it`
			}},
		{"a server without usages, as FreeTAKServer's", func(c *tls.Config) {
			c.Certificates = []tls.Certificate{w.issuing.Leaf(t, "fts", testpki.KeyUsage(0),
				testpki.Names("127.0.0.1"))}
		}, answer("", pong), func(m connect.Met) bool { return m.NameMatches }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := w.config()
			if test.config != nil {
				test.config(c)
			}
			met, err := connect.Device(context.Background(), w.at(serve(t, over(c, test.do))))
			if err != nil {
				t.Fatal(err)
			}
			if !test.holds(met) {
				t.Errorf("met %+v", met)
			}
		})
	}
}

// A device shows its certificate alone, whatever its file holds.
func TestTheLeafAloneIsShown(t *testing.T) {
	w := newWorld(t)
	shown := make(chan int, 1)
	o := w.at(serve(t, over(w.config(), func(c *tls.Conn) {
		shown <- len(c.ConnectionState().PeerCertificates)
		answer("", pong)(c)
	})))
	o.Identity.Certificate = append(o.Identity.Certificate, w.issuing.Cert.Raw)
	o.Identity.Leaf = nil
	if _, err := connect.Device(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if n := <-shown; n != 1 {
		t.Errorf("%d certificates were shown", n)
	}
}

func TestWhatTheDeviceRefuses(t *testing.T) {
	w := newWorld(t)
	sister := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	start := time.Now().Truncate(time.Second)
	stamp := func(d time.Duration) string { return start.Add(d).UTC().Format("2006-01-02 15:04 UTC") }
	tests := []struct {
		name   string
		server tls.Certificate
		change func(*connect.Options)
		want   string
	}{
		{"no root in the trust store", w.server, func(o *connect.Options) { o.Authorities = o.Authorities[:1] },
			`the trust store lacks "CN=Valley Root", who issued "Valley Issuing": make the trust store of every ` +
				`authority above the server's certificate, up to the root`},
		{"no issuing CA in the trust store, though it is sent", w.server,
			func(o *connect.Options) { o.Authorities = o.Authorities[1:] },
			`the trust store lacks "CN=Valley Issuing", who issued "localhost"; the server sends it along, but ` +
				`devices take no authority from the server: make the trust store of every authority up to the root`},
		{"another authority of the same name", sister.Server(t, "localhost"), nil,
			`an authority of the trust store has the name of who issued "localhost", but its key did not sign it: ` +
				`the authority was made anew, and the package is older; make the package anew`},
		{"expired", w.issuing.Leaf(t, "old", testpki.Validity(start.Add(-48*time.Hour), start.Add(-24*time.Hour))),
			func(o *connect.Options) { o.Now = func() time.Time { return start } },
			`"old" expired on ` + stamp(-24*time.Hour) + `, and the device's clock says ` + stamp(0) + `: have it ` +
				`renewed`},
		{"a clock that is slow", w.issuing.Leaf(t, "new", testpki.Validity(start, start.Add(48*time.Hour))),
			func(o *connect.Options) { o.Now = func() time.Time { return start.Add(-24 * time.Hour) } },
			`"new" is not valid before ` + stamp(0) + `, and the device's clock says ` + stamp(-24*time.Hour) + `: ` +
				`set the clock`},
		{"SHA-1", w.issuing.Leaf(t, "weak",
			testpki.Template(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })), nil,
			`"weak" is signed with ECDSA-SHA1, which is relied on no more: have it issued anew with SHA-256`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := w.config()
			c.Certificates = []tls.Certificate{test.server}
			address := serve(t, over(c, answer("", pong)))
			o := w.at(address)
			if test.change != nil {
				test.change(&o)
			}
			met, err := connect.Device(context.Background(), o)
			expect(t, address, err, "connecting to ADDRESS: the device refuses the server: "+test.want)
			var refusal *connect.Refusal
			if !errors.As(err, &refusal) || refusal.ByServer || refusal.Alert != "" || met.Server == nil {
				t.Errorf("refusal %+v, met %+v", refusal, met)
			}
		})
	}
}

func TestWhatTheServerRefuses(t *testing.T) {
	w := newWorld(t)
	stranger := testpki.NewRoot(t, "Elsewhere").Client(t, "mallory")
	tests := []struct {
		name   string
		config func(*tls.Config)
		client tls.Certificate
		want   string
	}{
		{"unknown issuer", nil, stranger, `the server refused the device (TLS alert "unknown certificate ` +
			`authority"): it does not know who issued the client's certificate; ` +
			`devices send no chain, so the server itself must trust the issuing CA, not the root alone; OpenSSL says ` +
			`the same where it has no revocation list, as a FreeTAKServer whose ca.pem lacks one`},
		{"only the root in the server", func(c *tls.Config) { c.ClientCAs = w.root.Pool() }, w.client, `the server ` +
			`refused the device (TLS alert "unknown certificate authority"): ` +
			`it does not know who issued the client's certificate; devices send no chain, so the server itself must ` +
			`trust the issuing CA, not the root alone; OpenSSL says the same where it has no revocation list, as ` +
			`a FreeTAKServer whose ca.pem lacks one`},
		{"expired client", nil, w.issuing.Client(t, "old", testpki.Expired()), `the server refused the device (TLS ` +
			`alert "expired certificate"): the client's certificate has expired, or is not valid yet by ` +
			`the server's clock: renew it, or set the clock; OpenSSL says the same where its revocation list has ` +
			`lapsed, as FreeTAKServer's own does after 100 days`},
		{"no client's certificate", nil, w.server, `the server refused the device (TLS alert "bad certificate"): it ` +
			`does not take the client's certificate; servers in Go say so of a revoked one too, ` +
			`and others of one that they cannot read: the server's log tells`},
	}
	for _, test := range tests {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(test.name+", "+tls.VersionName(version), func(t *testing.T) {
				c := w.config()
				c.MaxVersion = version
				if test.config != nil {
					test.config(c)
				}
				address := serve(t, over(c, answer("", pong)))
				o := w.at(address)
				o.Identity = test.client
				_, err := connect.Device(context.Background(), o)
				// In TLS 1.3 a device learns of its refusal when it reads.
				doing := map[uint16]string{tls.VersionTLS12: "connecting", tls.VersionTLS13: "talking"}[version]
				expect(t, address, err, doing+" to ADDRESS: "+test.want)
			})
		}
	}
}

func TestServersThatMisbehave(t *testing.T) {
	w := newWorld(t)
	hang := func(net.Conn) { time.Sleep(patience) }
	tests := []struct {
		name string
		do   func(net.Conn)
		want string
	}{
		{"no TLS", func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
			`connecting to ADDRESS: what answers does not speak TLS: the port may be that for plain CoT (8087), or a ` +
				`web server's`},
		{"hangs up at once", func(net.Conn) {},
			`connecting to ADDRESS: the server closed the connection in the middle of the handshake, without saying ` +
				`why: it may be no TLS server, or refuse this device; its log tells`},
		{"says nothing", hang, `connecting to ADDRESS: the TLS handshake was not over within 300ms: what listens ` +
			`there may be no TLS server, or one that is busy with another client ` +
			`(FreeTAKServer takes them one by one)`},
		{"hangs up after the handshake", over(w.config(), func(*tls.Conn) {}), `talking to ADDRESS: the server ` +
			`closed the connection after the handshake, without saying why: some refuse a client so, ` +
			`who is revoked, unknown or disabled; its log tells`},
		{"answers no ping", over(w.config(), func(c *tls.Conn) { hang(c) }),
			`talking to ADDRESS: the server answered no ping within 2s: a device drops the connection after 25 s ` +
				`without a word, and tries anew for ever`},
		{"sends without end", over(w.config(), answer(strings.Repeat("x", cot.MaxEvent+1), pong)),
			`talking to ADDRESS: the server sent more than 65536 bytes without an end of event, which no device ` +
				`takes: it may be no CoT server`},
		{"knows no version of TLS in common", over(&tls.Config{Certificates: []tls.Certificate{w.server},
			MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, func(*tls.Conn) {}),
			`connecting to ADDRESS: the server refused the device (TLS alert "protocol version not supported"): they ` +
				`have no version of TLS in common: this one speaks 1.2 and 1.3`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, test.do)
			o := w.at(address)
			if strings.Contains(test.want, "300ms") {
				o.Timeout = 300 * time.Millisecond
			}
			if strings.Contains(test.want, "2s") { // the handshake has to be over by then
				o.Timeout = 2 * time.Second
			}
			_, err := connect.Device(context.Background(), o)
			expect(t, address, err, test.want)
		})
	}
}

func TestNobodyThere(t *testing.T) {
	w := newWorld(t)
	l := listen(t)
	address := l.Addr().String()
	l.Close()
	_, err := connect.Device(context.Background(), w.at(address))
	expect(t, address, err, "connecting to ADDRESS: nothing listens there: is the server running, and on this port?")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = connect.Device(ctx, w.at(serve(t, func(net.Conn) {}))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, the error is %v", err)
	}
}

func TestOptionsThatDoNot(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name   string
		change func(*connect.Options)
		want   string
	}{
		{"no host", func(o *connect.Options) { o.Host = "" }, "a device needs a host to connect to"},
		{"no identity", func(o *connect.Options) { o.Identity = tls.Certificate{} }, "a device needs a client's " +
			"certificate with its key"},
		{"no key", func(o *connect.Options) { o.Identity.PrivateKey = nil }, "a device needs a client's certificate " +
			"with its key"},
		{"no authorities", func(o *connect.Options) { o.Authorities = nil }, "a device needs a trust store, to tell " +
			"the server from another"},
		{"no port", func(o *connect.Options) { o.Port = 65536 }, "port 65536 is no number from 1 to 65535"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := w.at("127.0.0.1:1")
			test.change(&o)
			_, err := connect.Device(context.Background(), o)
			expect(t, "", err, test.want)
		})
	}
}
