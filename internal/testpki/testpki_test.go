package testpki_test

import (
	"crypto/x509"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/testpki"
)

func TestHierarchyVerifies(t *testing.T) {
	root := testpki.NewRoot(t, "Root")
	issuing := root.Issuing(t, "Issuing")
	server := issuing.Server(t, "localhost", "127.0.0.1")
	if len(server.Certificate) != 2 {
		t.Errorf("the server brings %d certificates along", len(server.Certificate))
	}
	between := x509.NewCertPool()
	between.AddCert(issuing.Cert)
	for _, name := range []string{"localhost", "127.0.0.1"} {
		_, err := server.Leaf.Verify(x509.VerifyOptions{Roots: root.Pool(), Intermediates: between, DNSName: name})
		if err != nil {
			t.Error(err)
		}
	}
	alice := issuing.Client(t, "alice", testpki.Serial(big.NewInt(7)), testpki.Units("group:blue"))
	_, err := alice.Leaf.Verify(x509.VerifyOptions{Roots: issuing.Pool(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Error(err)
	}
	if alice.Leaf.SerialNumber.Int64() != 7 || alice.Leaf.Subject.String() != "CN=alice,OU=group:blue" {
		t.Errorf("got %s with serial %s", alice.Leaf.Subject, alice.Leaf.SerialNumber)
	}
	if chain := issuing.Chain(); len(chain) != 2 || chain[1] != root.Cert {
		t.Errorf("got a chain of %d", len(chain))
	}
}

func TestHostileCertificatesAreWhatTheySay(t *testing.T) {
	ca := testpki.NewRoot(t, "CA", testpki.NoKeyID())
	if len(ca.Cert.SubjectKeyId) > 0 || !ca.Cert.IsCA {
		t.Error("a CA without key identifier was asked for")
	}
	now := time.Now()
	if c := ca.Client(t, "x", testpki.Expired()).Leaf; !now.After(c.NotAfter) {
		t.Errorf("valid until %s", c.NotAfter)
	}
	if c := ca.Client(t, "x", testpki.NotYetValid()).Leaf; !now.Before(c.NotBefore) {
		t.Errorf("valid from %s", c.NotBefore)
	}
	bare := ca.Client(t, "x", testpki.Usages(), testpki.KeyUsage(0)).Leaf
	if len(bare.Extensions) > 0 {
		t.Errorf("got extensions %v", bare.Extensions)
	}
	if err := bare.CheckSignatureFrom(ca.Cert); err != nil {
		t.Error(err)
	}
}

func TestMissingProgramSkipsUnlessRequired(t *testing.T) {
	if os.Getenv("TESTPKI_CHILD") != "" {
		testpki.Need(t, "no-such-program")
		return
	}
	run := func(interop string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMissingProgramSkipsUnlessRequired$", "-test.v")
		cmd.Env = append(os.Environ(), "TESTPKI_CHILD=1", "FTSCA_SKIPS=", "FTSCA_INTEROP="+interop)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(""); err != nil || !strings.Contains(out, "needs no-such-program, which is not installed\n") {
		t.Errorf("%v\n%s", err, out)
	}
	const want = "needs no-such-program, which is not installed, and FTSCA_INTEROP=require allows no skip"
	if out, err := run("require"); err == nil || !strings.Contains(out, want) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProgramThatDoesNotWorkIsMissing(t *testing.T) {
	testpki.Need(t, "python3")
	skips := filepath.Join(t.TempDir(), "skips")
	t.Setenv("FTSCA_SKIPS", skips)
	t.Setenv("FTSCA_INTEROP", "")
	const refuses = "import sys; sys.exit('not permitted')"
	if ok, err := testpki.Runs("python3", "-c", "pass"); !ok || err != nil {
		t.Errorf("a program that works: %t, %v", ok, err)
	}
	for _, args := range [][]string{{"python3", "-c", refuses}, {"no-such-program"}} {
		if ok, err := testpki.Runs(args[0], args[1:]...); ok || err != nil {
			t.Errorf("%s: %t, %v", args, ok, err)
		}
	}
	if counted, err := os.ReadFile(skips); err != nil || string(counted) != "python3\nno-such-program\n" {
		t.Errorf("counted are %q, %v", counted, err)
	}
	t.Setenv("FTSCA_INTEROP", "require")
	const want = "needs python3, which does not work here (exit status 1: not permitted), and FTSCA_INTEROP=require allows no skip"
	if ok, err := testpki.Runs("python3", "-c", refuses); ok || err == nil || err.Error() != want {
		t.Errorf("%t, %v", ok, err)
	}
}
