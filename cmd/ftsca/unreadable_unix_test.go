//go:build unix

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A script of root's may rename a list of its own into the place of a service's, who then cannot read it.
func TestUnreadableListStopsNoRevocation(t *testing.T) {
	o := newOperator(t)
	o.must(o.issue("alice")...)
	o.must(o.issue("bob")...)
	o.must("revoke", "bob")
	list := filepath.Join(o.store, "endpoint", "FTS_CRL.json")
	run := func(args ...string) string {
		t.Helper()
		cmd := o.command(args...)
		if os.Getuid() == 0 {
			give(t, filepath.Dir(o.store))
			cmd = as(reachable(t, cmd), nobody)
		}
		lock(t, list)
		return output(t, cmd)
	}
	if out := run("revoke", "alice"); !strings.Contains(out, "revoked  alice#1") || !strings.Contains(out, "it is kept as "+list+".broken-") {
		t.Errorf("revoke said\n%s", out)
	}
	if out := run("crl", "repair"); !strings.Contains(out, "set aside  "+list+".broken-") {
		t.Errorf("repair said\n%s", out)
	}
	for _, r := range o.whole() {
		if r.State != "revoked" && r.Purpose == "client" {
			t.Errorf("%s is %s", r.Name, r.State)
		}
	}
}

// lock puts in a file's place one that only root, else nobody, can read.
func lock(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(`{"revoked_certificates": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(name+".new", 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args[1:], err, out)
	}
	return string(out)
}
