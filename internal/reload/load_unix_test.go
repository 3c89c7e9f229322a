//go:build unix

package reload_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/testpki"
)

func TestPipeInPlaceOfAFileIsNotReadFrom(t *testing.T) {
	f := newFolder(t)
	f.remove("FTS_CRL.json")
	if err := syscall.Mkfifo(f.path("FTS_CRL.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := f.files().Load(time.Now(), nil)
	want := fmt.Sprintf("the revocation list %[1]s cannot be used: %[1]s is not a regular file "+
		"(ftsca crl repair mends it)", f.path("FTS_CRL.json"))
	if err == nil || err.Error() != want {
		t.Errorf("got error  %v\nwant error %s", err, want)
	}
}

func TestUnreadableListKeepsTheOldOne(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t) // root reads whatever the mode
		return
	}
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		chmod := func(mode os.FileMode) {
			t.Helper()
			if err := os.Chmod(w.path("FTS_CRL.json"), mode); err != nil {
				t.Fatal(err)
			}
		}
		w.write("FTS_CRL.json", jsonOf(w.bob))
		w.untilRevoked(w.bob)
		chmod(0)
		if got, want := w.untilError(1), "the revocation list DIR/FTS_CRL.json cannot be used: "+
			"open DIR/FTS_CRL.json: permission denied (ftsca crl repair mends it)"; got != want {
			t.Errorf("got error  %q\nwant error %q", got, want)
		}
		w.mu.Lock()
		w.mustJudge(w.trust, w.bob)
		before := w.trusts
		w.mu.Unlock()
		chmod(0o600)
		w.until("it is whole", func() bool { return w.trusts > before && len(w.report.Broken) == 0 })
	})
}

func TestUnreadableGroupsKeepTheOldOnes(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t) // root reads whatever the mode
		return
	}
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		f.write("groups.yaml", []byte(teams))
		w := follow(f, events)
		chmod := func(mode os.FileMode) {
			t.Helper()
			if err := os.Chmod(w.path("groups.yaml"), mode); err != nil {
				t.Fatal(err)
			}
		}
		chmod(0)
		if got, want := w.untilError(1), "the groups in DIR/groups.yaml cannot be used: open DIR/groups.yaml: permission denied"; got != want {
			t.Errorf("got error  %q\nwant error %q", got, want)
		}
		chmod(0o600)
		w.until("it is whole", func() bool { return w.trusts > 0 && len(w.report.Broken) == 0 })
		w.untilGroups("alice=blue bob=blue,red")
	})
}

func TestServerKeyMendedByItsModeAloneIsTakenUp(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		next := w.issuing.Server(t, "localhost")
		if err := os.Chmod(w.path("server.key"), 0); err != nil {
			t.Fatal(err)
		}
		w.replace("server.pem", testpki.CertPEM(next.Leaf))
		w.untilError(1)
		if err := os.Chmod(w.path("server.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.replace("server.key", testpki.KeyPEM(t, next.PrivateKey))
		w.until("the new certificate", func() bool { return w.trust.Certificate.Leaf.Equal(next.Leaf) })
	})
}

func TestReopenTellsOfAFileThatLoadCouldReadNoMore(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	g := newGiven(t, nil)
	g.put(signedBy(t, g.issuing, nextYear))
	g.write(".FTS_CRL.last", jsonOf())
	// Neither a pipe nor a file that is not there is one that Load opens.
	if err := syscall.Mkfifo(g.path(".FTS_CRL.removed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.files().Load(time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if err := g.files().Reopen(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{g.path("server.key"), g.path(".FTS_CRL.last"), g.list} {
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		if err := g.files().Reopen(); err == nil || err.Error() != "open "+path+": permission denied" {
			t.Errorf("%s cannot be read, and Reopen says %v", path, err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// asNobody runs the test once more, in a process of its own and as a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "reload")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	copied := filepath.Join(dir, "reload.test")
	if err := os.WriteFile(copied, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
}
