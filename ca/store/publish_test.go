package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// A server reads ca.pem at every connection, and refuses everyone by half of one. So the file that it may be reading is
// never written to: another takes its name. A second name for the old file shows that.
func TestWhatServersReadIsNeverWrittenInPlace(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now))
	d.sign(store.Signing{})
	away := endpointOf(t, d)
	spoiled := func() {
		d.put("ca.pem", d.read("endpoint/FTS_CRL.pem"))
		d.put("FTS_CRL.pem", nil)
		d.reopen()
	}
	for _, act := range []struct {
		name   string
		of     *desk
		before func()
		do     func() error
	}{
		{"signing", d, func() {}, func() error { d.revoke(entryOf(2, d.now)); d.sign(store.Signing{}); return nil }},
		{"taking up an answer", away, func() {}, func() error {
			_, err := away.Update(t.Context(), store.Update{Lists: d.read("endpoint/FTS_CRL.pem")}, false)
			return err
		}},
		{"publishing anew", d, spoiled, func() error { d.sign(store.Signing{}); return d.Recover(t.Context()) }},
	} {
		act.before()
		kept := map[string][]byte{}
		for _, name := range []string{"ca.pem", "FTS_CRL.pem"} {
			kept[name] = act.of.read("endpoint/" + name)
			if err := os.Link(filepath.Join(act.of.Endpoint(), name), filepath.Join(act.of.Endpoint(), name+".opened")); err != nil {
				t.Fatal(err)
			}
		}
		if err := act.do(); err != nil {
			t.Fatalf("%s: %v", act.name, err)
		}
		for name, before := range kept {
			if string(act.of.read("endpoint/"+name)) == string(before) {
				t.Errorf("%s: %s is what it was", act.name, name)
			}
			opened := "endpoint/" + name + ".opened"
			if string(act.of.read(opened)) != string(before) {
				t.Errorf("%s: whoever had %s open reads something else", act.name, name)
			}
			if err := os.Remove(filepath.Join(act.of.dir, opened)); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := crl.ParseX509(act.of.read("endpoint/FTS_CRL.pem")); err != nil || len(list.Entries) != 2 {
			t.Errorf("%s: %v, %v", act.name, list, err)
		}
	}
}
