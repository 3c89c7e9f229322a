//go:build unix

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// give makes everything below a folder another account's, where this one can, and lets that account reach it.
func give(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
	openTo(t, &exec.Cmd{}, filepath.Join(dir, "pki"))
}

func TestUnwritableFolderForWhatComesOutIsToldBeforeAnythingIsDone(t *testing.T) {
	o := newCeremony(t)
	dir := filepath.Dir(o.store)
	roster := writeRoster(t, dir, 3)
	closed := filepath.Join(dir, "closed")
	request := o.glob("laptop-*.csr")
	give(t, dir)
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chmod(closed, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(closed, 0o700) })
	into := func(name string) string { return filepath.Join(closed, name) }
	for _, tt := range []struct {
		store string
		args  []string
	}{
		{"pki", []string{"csr", "sign", request, "--yes", "--out", closed}},
		{"pki", []string{"csr", "new", "x", "--type", "client", "--key", "ecdsa-p256", "--out", closed}},
		{"pki", append(o.roster(roster), "--results", into("results.csv"))},
		{"two", []string{"root", "detach", "--yes", "--to", into("root")}},
		{"office", []string{"transfer", "out", into("stick")}},
		{"office", []string{"transfer", "out", closed}},
		{"closed/pki", []string{"init", "--name", "CA", "--no-passphrase", "--key", "ecdsa-p256"}},
		{"closed/pki", []string{"init", "--name", "CA", "--issuing", "--no-passphrase", "--key", "ecdsa-p256"}},
		{"closed/pki", []string{"init", "--name", "CA", "--two-tier", "--no-passphrase", "--key", "ecdsa-p256"}},
	} {
		s := o.at(tt.store)
		var before []string
		if !strings.HasPrefix(tt.store, "closed") {
			before = append(s.files(), s.must("audit"))
		}
		cmd := reachable(t, s.command(tt.args...))
		if os.Getuid() == 0 {
			cmd = as(cmd, nobody)
		}
		text, err := cmd.CombinedOutput()
		out, what := string(text), strings.Join(tt.args, " ")
		if err == nil {
			t.Errorf("ftsca %s succeeded:\n%s", what, out)
		}
		if !strings.Contains(out, "permission denied") || !strings.Contains(out, "hint: run ftsca as the owner of "+closed) {
			t.Errorf("ftsca %s was refused with:\n%s", what, out)
		}
		for _, word := range []string{"\nissued", "\nsigned", "\nasks", "\nmoved", "\nfounded"} {
			if strings.Contains("\n"+out, word) {
				t.Errorf("ftsca %s announces what it has not done:\n%s", what, out)
			}
		}
		if left, err := os.ReadDir(closed); err != nil || len(left) > 0 {
			t.Errorf("ftsca %s left %v, %v", what, left, err)
		}
		if before != nil && !slices.Equal(before, append(s.files(), s.must("audit"))) {
			t.Errorf("ftsca %s changed the store:\n%s", what, out)
		}
	}
}
