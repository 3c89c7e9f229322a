package testdevice_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testdevice"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

const pong = `<event version='2.0' uid='takPong' type='t-x-c-t-r' how='h-g-i-g-o'></event>`

// opened is the package that datapackage makes for the world's client, as a device reads it.
func (w world) opened(t *testing.T) *testdevice.Package {
	t.Helper()
	data, err := datapackage.Make(datapackage.ATAK, datapackage.Contents{
		Name: "alice", Connections: []datapackage.Connection{{Host: "127.0.0.1"}}, Key: w.client.PrivateKey.(crypto.Signer), Certificate: w.client.Leaf,
		Authorities: w.issuing.Chain(), Password: secret.Random(), Encoder: pkcs12.NewEncoder(pkcs12.TAK, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := testdevice.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve accepts one connection after another, with a chain to send and a pool of its issuing CA alone, and hands each
// to talk after the handshake.
func serve(t *testing.T, cert tls.Certificate, clients *x509.CertPool, talk func(*tls.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			conn := tls.Server(raw, config)
			if conn.Handshake() == nil && talk != nil {
				talk(conn)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, p *testdevice.Package, addr string) *testdevice.Device {
	t.Helper()
	d, err := p.Dial(within(t, 10*time.Second), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestADeviceConnectsWithALeafAloneToAServerOfItsAuthority(t *testing.T) {
	w := newWorld(t)
	peers := make(chan []*x509.Certificate, 1)
	addr := serve(t, w.issuing.Server(t, "a.name.that.is.not.asked.for"), w.issuing.Pool(), func(c *tls.Conn) {
		peers <- c.ConnectionState().PeerCertificates
		_, _ = io.WriteString(c, pong)
		_, _ = io.Copy(io.Discard, c)
	})
	p := w.opened(t)
	d := dial(t, p, addr)
	if err := d.Ping(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := <-peers; len(got) != 1 || !got[0].Equal(w.client.Leaf) {
		t.Errorf("the server got %d certificates", len(got))
	}
	if got := d.State().Version; got != tls.VersionTLS13 {
		t.Errorf("TLS %#x", got)
	}
	d.Close()

	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	if p.Port, err = net.LookupPort("tcp", port); err != nil {
		t.Fatal(err)
	}
	go func() { <-peers }()
	if err := dial(t, p, "").Ping(within(t, 10*time.Second)); err != nil {
		t.Errorf("where the package says: %v", err)
	}
}

func TestADeviceJudgesTheServerByItsTrustStoreAlone(t *testing.T) {
	w := newWorld(t)
	below := w.issuing.Issuing(t, "Below")
	sister := w.root.Issuing(t, "Sister")
	stranger := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	late := w.issuing.Leaf(t, "late", testpki.Expired())
	alone := w.issuing.Server(t, "alone")
	alone.Certificate = alone.Certificate[:1]
	const by = "the server's certificate, by the trust store of the package: x509: "
	tests := []struct {
		name   string
		server tls.Certificate
		now    time.Time
		want   string // what the error has in it; "" for none
	}{
		{"its issuing CA, chain sent", w.issuing.Server(t, "s"), time.Time{}, ""},
		{"its issuing CA, no chain sent", alone, time.Time{}, ""},
		{"its root", w.root.Server(t, "s"), time.Time{}, ""},
		{"client's usage", w.issuing.Client(t, "mallory"), time.Time{}, ""},
		{"a CA that only the server sends", below.Server(t, "s"), time.Time{}, by + "certificate signed by unknown authority"},
		{"a sister that only the server sends", sister.Server(t, "s"), time.Time{}, by + "certificate signed by unknown authority"},
		{"a namesake", stranger.Server(t, "s"), time.Time{}, by + "certificate signed by unknown authority"},
		{"expired", late, time.Time{}, by + "certificate has expired or is not yet valid"},
		{"a clock two years behind", alone, time.Now().AddDate(-2, 0, 0), by + "certificate has expired or is not yet valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			addr := serve(t, test.server, w.issuing.Pool(), func(c *tls.Conn) { _, _ = io.WriteString(c, pong) })
			p := w.opened(t)
			if !test.now.IsZero() {
				p.Now = func() time.Time { return test.now }
			}
			d, err := p.Dial(within(t, 10*time.Second), addr)
			if err == nil {
				err = d.Ping(within(t, 10*time.Second))
				d.Close()
			}
			if (test.want == "") != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), "connecting to "+addr+": "+test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestARefusedDeviceLearnsItWithItsPing(t *testing.T) {
	w := newWorld(t)
	addr := serve(t, w.issuing.Server(t, "s"), testpki.NewRoot(t, "Stranger").Pool(), nil)
	d := dial(t, w.opened(t), addr)
	if err := d.Ping(within(t, 10*time.Second)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestEventsAreCutAtTheirEndHoweverTheyCome(t *testing.T) {
	w := newWorld(t)
	pings := make(chan []byte, 1)
	addr := serve(t, w.issuing.Server(t, "s"), w.issuing.Pool(), func(c *tls.Conn) {
		for _, piece := range []string{"<event a='1'></ev", "ent>\n<event b='2'><detail/></event><ev", "ent c='3'></event>"} {
			_, _ = io.WriteString(c, piece)
			time.Sleep(5 * time.Millisecond)
		}
		buf := make([]byte, 4096)
		n, _ := c.Read(buf)
		pings <- buf[:n]
		_, _ = io.WriteString(c, "<event d='4'></event>"+pong+"<event e='5'></event>")
		_, _ = c.Read(buf) // until the device goes on
		_, _ = io.WriteString(c, "<event f='6'></event>")
		_, _ = c.Read(buf)
		_, _ = io.WriteString(c, "<event "+strings.Repeat("x", 70_000))
	})
	d := dial(t, w.opened(t), addr)
	ctx := within(t, 10*time.Second)
	next := func(want string) {
		t.Helper()
		got, err := d.Next(ctx)
		if string(got) != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	next("<event a='1'></event>")
	next("<event b='2'><detail/></event>")
	next("<event c='3'></event>")
	if err := d.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if got := <-pings; !wellFormed(got) || !bytes.Contains(got, []byte(`type="t-x-c-t"`)) || !bytes.Contains(got, []byte(`-ping"`)) {
		t.Errorf("the ping was %q", got)
	}
	next("<event d='4'></event>")
	next("<event e='5'></event>")

	// A Next that ran out of time takes nothing away from the one after it.
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := d.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := d.Send([]byte("on")); err != nil {
		t.Fatal(err)
	}
	next("<event f='6'></event>")
	if err := d.Send([]byte("on")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Next(ctx); err == nil || err.Error() != "an event is longer than 65536 bytes" {
		t.Errorf("got %v", err)
	}
}

func TestPositionsAreWellFormedWhateverTheNamesAre(t *testing.T) {
	w := newWorld(t)
	addr := serve(t, w.issuing.Server(t, "s"), w.issuing.Pool(), nil)
	d := dial(t, w.opened(t), addr)
	for _, name := range []string{"alice", `<&>"'`, "two\nlines", "😀", "\x00"} {
		if got := d.Position("ANDROID-"+name, name); !wellFormed(got) || !bytes.HasSuffix(got, []byte("</event>")) {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func wellFormed(data []byte) bool {
	var v struct {
		XMLName xml.Name `xml:"event"`
		UID     string   `xml:"uid,attr"`
	}
	return xml.Unmarshal(data, &v) == nil && v.UID != ""
}

func TestTheSessionsEndIsAnError(t *testing.T) {
	w := newWorld(t)
	addr := serve(t, w.issuing.Server(t, "s"), w.issuing.Pool(), nil)
	d := dial(t, w.opened(t), addr)
	if _, err := d.Next(within(t, 10*time.Second)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestNothingListensThere(t *testing.T) {
	opened := newWorld(t).opened(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	if _, err := opened.Dial(within(t, 10*time.Second), addr); err == nil || !strings.HasPrefix(err.Error(), "connecting: dial tcp "+addr) {
		t.Errorf("got %v", err)
	}
}
