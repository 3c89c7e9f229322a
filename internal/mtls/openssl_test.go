package mtls_test

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

// sclient connects with openssl s_client, as alice, and returns all that it prints. -msg has it name every message.
func sclient(t *testing.T, s *site, alice tls.Certificate, config *tls.Config, flags ...string) string {
	t.Helper()
	openssl := testpki.Need(t, "openssl")
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"alice.pem": testpki.CertPEM(alice.Leaf),
		"alice.key": testpki.KeyPEM(t, alice.PrivateKey),
		"root.pem":  testpki.CertPEM(s.root.Cert),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			_, _ = secure.Write([]byte("greetings\n"))
			_ = secure.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, conn)
	}()
	args := append([]string{"s_client", "-connect", l.Addr().String(), "-cert", "alice.pem", "-key", "alice.key",
		"-CAfile", "root.pem", "-verify_return_error", "-verify_hostname", "localhost", "-msg"}, flags...)
	cmd := exec.CommandContext(t.Context(), openssl, args...)
	cmd.Dir = dir
	stdin, err := cmd.StdinPipe() // s_client ends when its input does; the server ends this one
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func TestOpenSSLIsOfferedNoSessionTicket(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	for name, flag := range map[string]string{"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"} {
		t.Run(name, func(t *testing.T) {
			const ticket = "NewSessionTicket"
			out := sclient(t, s, alice, mtls.NewGate(s.trust(list{}), nil).Config(), flag)
			if !strings.Contains(out, "greetings") || !strings.Contains(out, "Verify return code: 0 (ok)") {
				t.Fatalf("openssl was not let in:\n%s", out)
			}
			if strings.Contains(out, ticket) {
				t.Errorf("a session ticket was offered:\n%s", out)
			}
			// The same look finds one where there is one.
			out = sclient(t, s, alice, mtls.NewGateWithTickets(s.trust(list{}), nil).Config(), flag)
			if !strings.Contains(out, ticket) {
				t.Errorf("with tickets switched on, openssl shows none:\n%s", out)
			}
		})
	}
}

func TestOpenSSLIsRefused(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	tests := []struct {
		name  string
		flags []string
	}{
		{"TLS 1.1", []string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}},
		{"TLS 1.0", []string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}},
		{"CBC", []string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256"}},
		{"RSA key exchange", []string{"-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA"}},
		{"finite-field Diffie-Hellman", []string{"-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := sclient(t, s, alice, mtls.NewGate(s.trust(list{}), nil).Config(), test.flags...)
			if strings.Contains(out, "greetings") {
				t.Errorf("openssl was let in:\n%s", out)
			}
			if !strings.Contains(out, "alert protocol version") && !strings.Contains(out, "alert handshake failure") {
				t.Errorf("openssl was not refused by an alert:\n%s", out)
			}
		})
	}
}
