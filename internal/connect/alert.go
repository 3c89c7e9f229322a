package connect

import (
	"errors"
	"net"
	"strings"
)

// Refusal is that one side did not take the other.
type Refusal struct {
	// ByServer tells who refused: the server the device, or the device the server.
	ByServer bool
	// Alert is the TLS alert that the server sent, in the words of RFC 8446, 6: "unknown certificate authority". It is ""
	// where the device refused.
	Alert string
	text  string
	err   error
}

// Error says what was refused and what to do about it.
func (r *Refusal) Error() string { return r.text }

func (r *Refusal) Unwrap() error { return r.err }

// alertOf returns the alert that the other side sent, "" where the error is none. crypto/tls has no type for it that can
// be named.
func alertOf(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	return strings.TrimPrefix(op.Err.Error(), "tls: ")
}

// refusedBy puts the server's alert into words.
func refusedBy(alert string, err error, met Met) error {
	return &Refusal{ByServer: true, Alert: alert, err: err, text: "the server refused the device (TLS alert " +
		"\"" + alert + "\"): " + meaning(alert)}
}

func meaning(alert string) string {
	switch alert {
	case "unknown certificate authority":
		return "it does not know who issued the client's certificate; devices send no chain, so the server itself " +
			"must trust the issuing CA, not the root alone; OpenSSL says the same where it has no revocation list, " +
			"as a FreeTAKServer whose ca.pem lacks one"
	case "bad certificate":
		return "it does not take the client's certificate; servers in Go say so of a revoked one too, and others of " +
			"one that they cannot read: the server's log tells"
	case "revoked certificate":
		return "the client's certificate is revoked: issue another"
	case "expired certificate":
		return "the client's certificate has expired, or is not valid yet by the server's clock: renew it, or set " +
			"the clock; OpenSSL says the same where its revocation list has lapsed, as FreeTAKServer's own does " +
			"after 100 days"
	case "unknown certificate":
		return "it does not take the client's certificate, for a reason that has no name of its own: the server's " +
			"log tells"
	case "unsupported certificate":
		return "the client's certificate is not made for clients, or has a key that the server does not take"
	case "access denied":
		return "the certificate is in order, and the server does not let its owner in: the user may be unknown or " +
			"disabled"
	case "certificate required":
		return "it wants a client certificate, and saw none"
	case "handshake failure":
		return "they have no cipher in common, or the server wants another certificate"
	case "protocol version not supported":
		return "they have no version of TLS in common: this one speaks 1.2 and 1.3"
	case "error decrypting message":
		return "it could not verify the proof of the client's key: key and certificate may not belong together"
	case "internal error":
		return "something went wrong in the server itself: its log tells"
	case "unrecognized name":
		return "it serves other names than this one: check the host"
	}
	return "the server's log tells why"
}
