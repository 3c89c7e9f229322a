package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Options says who connects, and where to.
type Options struct {
	// Host is a DNS name or an IP address; Port is 1 to 65535, and zero stands for 8089.
	Host string
	Port int
	// Identity is the client's key and certificate. Of several certificates the first alone is shown, as ATAK does.
	Identity tls.Certificate
	// Authorities is the trust store: all that the device believes when it judges the server.
	Authorities []*x509.Certificate
	// Now is the device's clock. Nil: time.Now.
	Now func() time.Time
	// Timeout is how long all of it may take. Zero: 25 s, after which ATAK gives a silent connection up.
	Timeout time.Duration
}

const (
	defaultPort    = 8089
	defaultTimeout = 25 * time.Second
)

// Met is what was met, as far as it came.
type Met struct {
	// Address is that of the server, with its port: "192.0.2.1:8089".
	Address string
	// Version and Cipher are those agreed on: "TLS 1.3", "TLS_AES_128_GCM_SHA256".
	Version, Cipher string
	// Server is the server's certificate; Sent is all that it sent, its own first. ATAK ignores the others.
	Server *x509.Certificate
	Sent   []*x509.Certificate
	// Chain is how the trust store vouches for the server: its certificate first, a root of the trust store last.
	Chain []*x509.Certificate
	// NameMatches tells whether Host stands in the server's certificate. ATAK's stream does not look; iTAK, WinTAK and
	// browsers do. NameFault says what stands there, "" where it matches.
	NameMatches bool
	NameFault   string
	// AskedForCertificate tells whether the server wanted a client certificate at all. One that does not lets anybody in.
	AskedForCertificate bool
	// Handshake is how long connection and TLS handshake took, Latency the time from ping to answer.
	Handshake, Latency time.Duration
	// Events counts what came beside the answer to the ping, such as the positions of others.
	Events int
	// Malformed counts those among them that are no well-formed event. Some servers pass on whatever a device sends.
	Malformed int
	// OffersProtobuf tells whether the server offered version 1 of the TAK protocol. Many never do, and speak XML.
	OffersProtobuf bool
	// Echoed tells that the server sent the ping itself back, as OpenTAKServer does. It keeps a device connected all the same.
	Echoed bool
}

// Device connects, shakes hands, sends a position and a ping, and waits for the answer. The position is at 0, 0, of a
// uid and a callsign that tell that it is a check, and goes stale after ten seconds; others on the server see it for
// that long.
//
// The server is judged as ATAK does: by the trust store alone, which has to lead up to a root, whatever chain the server
// sends; dates count, names and usages do not. The error says what was refused by whom and what to do about it: a
// [*Refusal] where the server or the device refused the other. Met holds what was seen until then.
func Device(ctx context.Context, o Options) (Met, error) {
	if o.Port == 0 {
		o.Port = defaultPort
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Port < 0 || o.Port > 65535 {
		return Met{}, fmt.Errorf("port %d is no number from 1 to 65535", o.Port)
	}
	leaf, err := o.leaf()
	if err != nil {
		return Met{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	address := net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
	var met Met
	conn, err := dial(ctx, o, leaf, &met)
	if err != nil {
		return met, fmt.Errorf("connecting to %s: %w", address, explain(ctx, err, o, met))
	}
	defer conn.Close()
	if err := talk(ctx, conn, o, leaf, &met); err != nil {
		return met, fmt.Errorf("talking to %s: %w", address, explain(ctx, err, o, met))
	}
	return met, nil
}

// leaf returns the client's certificate.
func (o Options) leaf() (*x509.Certificate, error) {
	switch {
	case o.Host == "":
		return nil, errors.New("a device needs a host to connect to")
	case len(o.Identity.Certificate) == 0 || o.Identity.PrivateKey == nil:
		return nil, errors.New("a device needs a client's certificate with its key")
	case len(o.Authorities) == 0:
		return nil, errors.New("a device needs a trust store, to tell the server from another")
	case o.Identity.Leaf != nil:
		return o.Identity.Leaf, nil
	}
	leaf, err := x509.ParseCertificate(o.Identity.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("the client's certificate: %w", err)
	}
	return leaf, nil
}
