package durable_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestReplaceWaitsForOneWhoHasOpenedAWholeFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "{}")
	// A script has opened the file, and neither emptied it nor written.
	script, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !durable.BeingWritten(name) {
		if givesLeases(t, dir) {
			t.Fatal("an open file does not count as being written")
		}
		testpki.Lack(t, "a file system with leases")
	}
	done := make(chan struct{})
	a := durable.Act{At: func(m string) error {
		if m == "settled" {
			go func() {
				defer close(done)
				defer script.Close()
				time.Sleep(10 * time.Millisecond)
				if _, err := script.WriteString(`{"theirs":1}`); err != nil {
					t.Error(err)
				}
			}()
		}
		return nil
	}}
	displaced, err := a.Replace(name, []byte("{ours}"), 0o644, func([]byte) bool { return true })
	if err != nil || string(displaced) != `{"theirs":1}` {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	<-done
	mustHold(t, name, "{ours}")
	mustHaveOnly(t, dir, "list.json")
	if durable.BeingWritten(name) {
		t.Error("the new file counts as being written")
	}
}

// givesLeases asks the file system itself, so that a BeingWritten that always says no is not taken for one without.
func givesLeases(t *testing.T, dir string) bool {
	t.Helper()
	name := filepath.Join(dir, "leased")
	put(t, name, "")
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		f.Close()
		os.Remove(name)
	}()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return err == nil
}
