package connect_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/connect"
	"github.com/ftsca/ftsca/internal/testpki"
)

// Servers on OpenSSL, as FreeTAKServer, check a revocation list, and say by other alerts than Go what they have against a
// client.
func TestWhatOpenSSLRefuses(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	w := newWorld(t)
	now := time.Now()
	list := func(until time.Time, revoked ...*big.Int) []byte {
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-48 * time.Hour), NextUpdate: until}
		for _, serial := range revoked {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: now})
		}
		der, err := x509.CreateRevocationList(rand.Reader, template, w.issuing.Cert, w.issuing.Key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	}
	tests := []struct {
		name  string
		crl   []byte
		alert string
	}{
		{"no list", nil, "unknown certificate authority"},
		{"a lapsed list", list(now.Add(-24 * time.Hour)), "expired certificate"},
		{"a list with the client", list(now.Add(24*time.Hour), w.client.Leaf.SerialNumber), "revoked certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name string, data []byte) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			address := sServer(t, openssl, "-cert", write("server.pem", testpki.CertPEM(w.server.Leaf)), "-key",
				write("server.key", testpki.KeyPEM(t, w.server.PrivateKey)),
				"-CAfile", write("ca.pem", append(testpki.CertPEM(w.issuing.Chain()...), test.crl...)), "-Verify", "3",
				"-verify_return_error", "-crl_check")
			_, err := connect.Device(context.Background(), w.at(address))
			var refusal *connect.Refusal
			if !errors.As(err, &refusal) || !refusal.ByServer || refusal.Alert != test.alert {
				t.Errorf("got %v, want the alert %q", err, test.alert)
			}
		})
	}
}

// sServer runs openssl s_server on a port of its own choice until the test ends.
func sServer(t *testing.T, openssl string, args ...string) string {
	t.Helper()
	command := exec.Command(openssl, append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	// Its standard input ends when the test does.
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			return address
		}
	}
	t.Fatal("openssl s_server said nothing of where it listens")
	return ""
}
