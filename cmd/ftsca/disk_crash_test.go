package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// onFullDisk runs a command that can write nothing beyond the given number of blocks of any file: what a full disk does,
// for any user.
func (o operator) onFullDisk(blocks string, args ...string) (string, error) {
	o.t.Helper()
	ftsca, err := exec.LookPath("ftsca")
	if err != nil {
		o.t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -f ` + blocks + `; exec "$0" "$@"`, ftsca}, args...)...)
	cmd.Env = append(os.Environ(), "FTSCA_STORE="+o.store, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The smallest limit stops the first package, a larger one the ledger, one larger still what is published or listed.
var diskSizes = []string{"1", "4", "16", "48", "96", "160"}

func TestFullDiskStopsARosterAndLosesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "a limit on file sizes, which stands in for the full disk")
	}
	o := newOperator(t)
	file := writeRoster(t, t.TempDir(), 200)
	stopped := 0
	for _, size := range diskSizes {
		out, err := o.onFullDisk(size, o.roster(file)...)
		if err != nil {
			stopped++
			if !strings.Contains(out, "file too large") {
				t.Errorf("with %s blocks the roster ended with %v, and said\n%s", size, err, out)
			}
		}
		o.must("list")
	}
	if stopped < 2 {
		t.Errorf("%d of %d limits stopped the roster", stopped, len(diskSizes))
	}
	// With room again, all goes on.
	o.must(o.roster(file)...)
	o.checkRoster(file, 200)
}

func TestFullDiskStopsARolloverAndLosesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "a limit on file sizes, which stands in for the full disk")
	}
	template := newCeremony(t)
	for _, store := range []string{"pki", "two", "office"} {
		for _, size := range diskSizes {
			o := copyAs(t, filepath.Dir(template.store), store)
			if store == "office" {
				o.must("init", "--complete", o.beside("ca.pem"), "--yes")
			}
			rollover := []string{"ca", "rollover", "--name", "CA 2", "--key", "ecdsa-p256"}
			out, err := o.onFullDisk(size, rollover...)
			if err != nil && !strings.Contains(out, "file too large") {
				t.Errorf("%s with %s blocks: the rollover ended with %v, and said\n%s", store, size, err, out)
			}
			if err == nil {
				t.Logf("%s with %s blocks: done", store, size)
			}
			o.must("list")
			o.run(rollover...)
			o.must(o.issue("another")...)
			o.must("crl", "sign")
			o.whole()
			a := o.authorities()
			if store == "office" && a.Pending == nil || store != "office" && a.Current.Subject.CommonName != "CA 2" {
				t.Errorf("%s with %s blocks: the rollover, run again, led to %+v\n%s", store, size, a, out)
			}
		}
	}
}

func TestFullDiskLeavesTheRevocationListWhole(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "a limit on file sizes, which stands in for the full disk")
	}
	template := newOperator(t)
	template.must(template.issue("alice")...)
	add := []string{"crl", "add"}
	for i := range 200 {
		add = append(add, fmt.Sprintf("AA%04X", i))
	}
	template.must(add...)
	stopped := 0
	for _, size := range diskSizes {
		o := copyAs(t, filepath.Dir(template.store), filepath.Base(template.store))
		out, err := o.onFullDisk(size, "revoke", "alice")
		list, readErr := os.ReadFile(filepath.Join(o.store, "endpoint", "FTS_CRL.json"))
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err := o.bundle(); err != nil {
			t.Errorf("with %s blocks: %v", size, err)
		}
		entries := bytes.Count(list, []byte("serial_number"))
		said := err == nil || strings.Contains(out, "the revocation is in force, but")
		if !said {
			stopped++
			if !strings.Contains(out, "file too large") {
				t.Errorf("with %s blocks the revocation ended with %v, and said\n%s", size, err, out)
			}
		}
		if said && entries != 201 || !said && entries != 200 {
			t.Errorf("with %s blocks the list has %d entries, and was said\n%s", size, entries, out)
		}
		// With room again, all goes on.
		o.must("revoke", "alice")
		o.whole()
		if show, _, err := o.run("show", "alice"); err == nil || !strings.Contains(show, "revoked") {
			t.Errorf("with %s blocks alice is not revoked: %s", size, show)
		}
	}
	if stopped == 0 || stopped == len(diskSizes) {
		t.Errorf("%d of %d limits stopped the revocation", stopped, len(diskSizes))
	}
}
