package main_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// follower is an operator whose store a folder follows.
type follower struct {
	operator
	folder string
}

func newFollower(t *testing.T) follower {
	t.Helper()
	f := follower{newOperator(t), filepath.Join(t.TempDir(), "certs")}
	f.must("issue", "server", "h.example.org", "--key", "ecdsa-p256")
	f.must("export", "fts", "--to", f.folder, "--follow")
	return f
}

// listed are the serials on the list in the folder's ca.pem, which has to be whole.
func (f follower) listed() map[string]bool {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.folder, "ca.pem"))
	if err != nil {
		f.t.Fatal(err)
	}
	serials := map[string]bool{}
	kinds := map[string]int{}
	var block *pem.Block
	rest := data
	for {
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		kinds[block.Type]++
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := crl.ParseX509(block.Bytes)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, e := range list.Entries {
			serials[e.Serial.String()] = true
		}
	}
	if kinds["CERTIFICATE"] != 1 || kinds["X509 CRL"] != 1 || len(strings.TrimSpace(string(rest))) > 0 {
		f.t.Fatalf("the folder's ca.pem is not whole: %v, and %q", kinds, rest)
	}
	return serials
}

// settled checks that the folder is up to date, without anything that is left of what was interrupted.
func (f follower) settled() {
	f.t.Helper()
	f.must("export", "--list")
	entries, err := os.ReadDir(f.folder)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.Contains(e.Name(), ".changed-") {
			f.t.Errorf("%s is left in the folder", e.Name())
		}
	}
}

func TestFolderThatFollowsIsWholeWheneverACommandIsKilled(t *testing.T) {
	f := newFollower(t)
	start := time.Now()
	f.must("revoke", "--serial", "AA")
	took := time.Since(start)
	for i := range 30 {
		serial := fmt.Sprintf("bb%02x", i)
		out := f.killed(took*5/4, "revoke", "--serial", serial)
		if listed := f.listed(); strings.Contains(out, "published to") && !listed[serial] {
			t.Errorf("%s was announced as published and is not on the list", serial)
		}
	}
	// The next act publishes what the kills left out.
	f.must("crl", "sign")
	if listed := f.listed(); len(listed) == 1 {
		t.Error("no revocation came so far that it counts")
	}
	f.settled()
}

func TestCommandsAtOnceLeaveTheFolderUpToDate(t *testing.T) {
	f := newFollower(t)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, talk, err := f.run("crl", "add", fmt.Sprintf("cc%02x", i), "--lock-wait", "1m"); err != nil {
				t.Errorf("%v: %s", err, talk)
			}
		})
	}
	wg.Wait()
	if n := len(f.listed()); n != 10 {
		t.Errorf("%d of 10 revocations were published", n)
	}
	f.settled()
}

func TestFullDiskLeavesTheFolderAsItWas(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "a limit on file sizes, which stands in for the full disk")
	}
	f := newFollower(t)
	add := []string{"crl", "add"}
	for i := range 200 {
		add = append(add, fmt.Sprintf("AA%04X", i))
	}
	f.must(add...)
	before := len(f.listed())
	for i, size := range append(slices.Clone(diskSizes), "unlimited") {
		serial := fmt.Sprintf("dd%02x", i)
		out, err := f.onFullDisk(size, "revoke", "--serial", serial)
		if (err == nil) != (size == "unlimited") {
			t.Errorf("with %s blocks: %v", size, err)
		}
		if listed := f.listed(); len(listed) < before || err == nil && !listed[serial] {
			t.Errorf("with %s blocks, ended with %v, the folder's list has %d entries:\n%s", size, err, len(listed), out)
		}
	}
	f.must("crl", "sign")
	f.settled()
}
