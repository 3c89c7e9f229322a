package pkcs12_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

// written is one identity and one trust store on disk, for other programs to read.
type written struct{ identity, trust, password string }

func write(t *testing.T, p pkcs12.Profile, secret string) written {
	t.Helper()
	issuing := testpki.NewRoot(t, "VALLEY rescue ca").Issuing(t, "Valley Rescue CA")
	alice := issuing.Client(t, "alice")
	encoder := pkcs12.NewEncoder(p, 0)
	identity, err := encoder.Identity(key(alice), alice.Leaf, issuing.Chain(), secret)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := encoder.TrustStore(issuing.Chain(), secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := written{filepath.Join(dir, "alice.p12"), filepath.Join(dir, "ca.p12"), filepath.Join(dir, "pw.txt")}
	for name, data := range map[string][]byte{w.identity: identity, w.trust: trust, w.password: []byte(secret + "\n")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "JAVA_TOOL_OPTIONS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestOpenSSLOpensBothFilesWithoutLegacy(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	tests := []struct {
		name     string
		profile  pkcs12.Profile
		password string
		mac      string
		cipher   string
	}{
		{"tak", pkcs12.TAK, password, "MAC: sha1, Iteration 2048", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048"},
		{"tak with any password", pkcs12.TAK, `Zürich &<>"' 山田`, "MAC: sha1, Iteration 2048", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048"},
		{"modern", pkcs12.Modern, password, "MAC: sha256, Iteration 2048", "PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := write(t, test.profile, test.password)
			got := run(t, openssl, "pkcs12", "-in", w.identity, "-passin", "file:"+w.password, "-noenc", "-info")
			for text, count := range map[string]int{
				test.mac: 1, test.cipher: 2, "BEGIN PRIVATE KEY": 1, "BEGIN CERTIFICATE": 3, "localKeyID": 2,
			} {
				if n := strings.Count(got, text); n != count {
					t.Errorf("identity: %q is there %d times, want %d\n%s", text, n, count, got)
				}
			}
			got = run(t, openssl, "pkcs12", "-in", w.trust, "-passin", "file:"+w.password, "-noenc", "-info")
			for text, count := range map[string]int{
				test.mac: 1, test.cipher: 1, "PRIVATE KEY": 0, "BEGIN CERTIFICATE": 2, "friendlyName: Valley Rescue CA\n": 1,
				"friendlyName: VALLEY rescue ca (": 1, "localKeyID": 0,
			} {
				if n := strings.Count(got, text); n != count {
					t.Errorf("trust store: %q is there %d times, want %d\n%s", text, n, count, got)
				}
			}
		})
	}
}
