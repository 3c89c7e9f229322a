package endpoint_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// dialling is an attack by those who shake hands, say something and leave, over and over.
func dialling(name string, config func(*world) *tls.Config, over func(endpoint.Stats) bool) attack {
	return attack{
		name: name,
		prepare: func(w *world, _ *team) func(context.Context) {
			config := config(w)
			return func(ctx context.Context) {
				repeat(ctx, 4, func(p *peer) {
					if conn := p.enter(w, config); conn != nil {
						io.WriteString(conn, ping)
						conn.Read(make([]byte, 1))
						conn.Close()
					}
				})
			}
		},
		over: over,
	}
}

func certificateWithoutItsKey() attack {
	return dialling("a certificate without its key", func(w *world) *tls.Config {
		stolen := w.ca.Client(w.t, "owner")
		stolen.PrivateKey = testpki.NewKey(w.t)
		return w.config(stolen)
	}, func(s endpoint.Stats) bool { return s.Handshakes[endpoint.Failed] >= 20 })
}

func extraCertificates() attack {
	return dialling("more certificates with other names", func(w *world) *tls.Config {
		eve := w.ca.Client(w.t, "eve")
		for k := range 40 {
			eve.Certificate = append(eve.Certificate, w.ca.Client(w.t, fmt.Sprint("owner-", k)).Certificate[0])
		}
		return w.config(eve)
	}, func(s endpoint.Stats) bool { return s.Handshakes[endpoint.OK] >= 20 })
}

func extraCertificateInFront() attack {
	return dialling("another's certificate in front of one's own", func(w *world) *tls.Config {
		eve := w.ca.Client(w.t, "eve")
		eve.Certificate = append([][]byte{w.ca.Client(w.t, "owner").Certificate[0]}, eve.Certificate...)
		return w.config(eve)
	}, func(s endpoint.Stats) bool { return s.Handshakes[endpoint.Failed] >= 20 })
}

// revokedClient is served, revoked while it speaks, and comes back again and again.
func revokedClient() attack {
	const cause endpoint.Cause = "revoked"
	a := attack{
		name: "a revoked client",
		over: func(s endpoint.Stats) bool { return s.Ended[cause] == 1 && s.Handshakes[cause] >= 20 },
	}
	a.prepare = func(w *world, _ *team) func(context.Context) {
		eve := w.ca.Client(w.t, "eve")
		config := w.config(eve)
		return func(ctx context.Context) {
			p := &peer{Context: ctx}
			if conn := p.enter(w, config); conn != nil {
				io.WriteString(conn, ping)
				conn.Read(make([]byte, 1))
				w.revoke(eve)
				over(conn)
			}
			repeat(ctx, 4, func(p *peer) {
				if conn := p.enter(w, config); conn != nil {
					io.WriteString(conn, position("eve", 1))
					over(conn)
				}
			})
		}
	}
	return a
}

func halfClose() attack {
	return attack{
		name: "half-close",
		prepare: func(w *world, _ *team) func(context.Context) {
			config := w.config(w.ca.Client(w.t, "eve"))
			return func(ctx context.Context) {
				repeat(ctx, 4, func(p *peer) {
					if p.round%3 == 0 {
						if conn := p.knock(w); conn != nil { // before the handshake
							conn.CloseWrite()
							over(conn)
						}
						return
					}
					conn := p.enter(w, config)
					if conn == nil {
						return
					}
					if p.round%3 == 1 {
						conn.CloseWrite()
					} else { // without TLS's goodbye
						conn.NetConn().(*net.TCPConn).CloseWrite()
					}
					over(conn)
				})
			}
		},
		over: func(s endpoint.Stats) bool {
			return s.Handshakes[endpoint.Closed] >= 4 && s.Ended[endpoint.Left] >= 8
		},
	}
}

func resets() attack {
	return attack{
		name: "a storm of resets",
		prepare: func(w *world, _ *team) func(context.Context) {
			config := w.config(w.ca.Client(w.t, "eve"))
			return func(ctx context.Context) {
				repeat(ctx, 4, func(p *peer) {
					var raw *net.TCPConn
					switch p.round % 4 {
					case 0:
						raw = p.knock(w)
					case 1:
						if raw = p.knock(w); raw != nil {
							raw.Write([]byte{22, 3, 1, 2, 0, 1})
						}
					default:
						if conn := p.enter(w, config); conn != nil {
							raw = conn.NetConn().(*net.TCPConn)
							if p.round%4 == 3 {
								io.WriteString(conn, position("eve", 1)[:100])
							}
						}
					}
					if raw != nil {
						raw.SetLinger(0)
						raw.Close()
					}
				})
			}
		},
		over: func(s endpoint.Stats) bool {
			return s.Handshakes[endpoint.Closed] >= 20 && s.Ended[endpoint.Lost] >= 10
		},
	}
}

// renegotiation needs openssl: Go's own client cannot ask for it.
func renegotiation() attack {
	return attack{
		name:  "renegotiation",
		needs: "openssl",
		prepare: func(w *world, _ *team) func(context.Context) {
			openssl := testpki.Need(w.t, "openssl")
			dir, eve := w.t.TempDir(), w.ca.Client(w.t, "eve")
			for name, data := range map[string][]byte{
				"eve.pem": testpki.CertPEM(eve.Leaf), "eve.key": testpki.KeyPEM(w.t, eve.PrivateKey),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
					w.t.Fatal(err)
				}
			}
			return func(ctx context.Context) {
				repeat(ctx, 1, func(p *peer) {
					cmd := exec.CommandContext(p, openssl, "s_client", "-connect", w.address, "-tls1_2",
						"-cert", "eve.pem", "-key", "eve.key")
					cmd.Dir = dir
					in, err := cmd.StdinPipe()
					if err == nil {
						err = cmd.Start()
					}
					if err != nil {
						if p.Err() == nil {
							w.t.Errorf("openssl does not start: %v", err)
						}
						return
					}
					// s_client has to be connected: before that it takes an R for something to send.
					for p.wait(50 * time.Millisecond) {
						if _, err := io.WriteString(in, "R\n"); err != nil {
							break
						}
					}
					in.Close()
					cmd.Wait()
				})
			}
		},
		over: func(s endpoint.Stats) bool { return s.Ended[endpoint.Lost] >= 2 },
	}
}
