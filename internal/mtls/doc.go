// Package mtls decides who may connect: it builds the endpoint's tls.Config, judges the peer's certificate and says who
// the peer is. It opens no file and no socket.
//
// Start with [Trust], an immutable picture of all that a verdict depends on, and its method [Trust.Judge]. A [Gate]
// holds the Trust in force and hands out the configuration that a listener needs; [PeerOf] reads the identity of a peer
// whose handshake is over.
//
// Who serves a connection judges three times: crypto/tls and the configuration's VerifyConnection during the handshake,
// before the peer has proved that it holds the key; Judge again when the session has been registered, since the list
// may have changed meanwhile; and Judge for all live sessions after each Swap and from time to time, since certificates
// expire. Only the second verdict may be counted or logged under the peer's name.
package mtls
