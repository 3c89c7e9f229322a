package store_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// ledger changes the ledger behind the store's back.
func (d *desk) ledger(change func(tx *bbolt.Tx) error) {
	d.t.Helper()
	db, err := bbolt.Open(filepath.Join(d.Dir(), "authority", "ledger.db"), 0o600, nil)
	if err == nil {
		err = db.Update(change)
		db.Close()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// forget leaves the ledger's last good list as the only one.
func (d *desk) forget() {
	d.t.Helper()
	d.write("FTS_CRL.json")
	d.write(".FTS_CRL.last")
	if err := os.Remove(filepath.Join(d.Endpoint(), "FTS_CRL.pem")); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) listText(entries ...crl.Entry) []byte {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l.Bytes()
}

// The last good list was a text in the meta bucket once, and the last X.509 list did not tell when it was made.
func TestLedgerFromBefore(t *testing.T) {
	d := newDesk(t)
	one, two, three := entryOf(1, d.now), entryOf(2, d.now), entryOf(3, d.now)
	d.revoke(one)
	d.sign(store.Signing{})
	d.ledger(func(tx *bbolt.Tx) error {
		lists := tx.Bucket([]byte("lists"))
		key, value := lists.Cursor().First()
		var list map[string]any
		if err := json.Unmarshal(value, &list); err != nil {
			return err
		}
		delete(list, "made")
		number := json.RawMessage(value[strings.Index(string(value), ":")+1 : strings.Index(string(value), ",")])
		list["number"] = number
		without, err := json.Marshal(list)
		if err != nil {
			return err
		}
		if err := lists.Put(key, without); err != nil {
			return err
		}
		if err := tx.DeleteBucket([]byte("last")); err != nil {
			return err
		}
		return tx.Bucket([]byte("meta")).Put([]byte("revoked"), d.listText(one, two))
	})
	d.forget()
	if st := d.standing(); serialsOf(st.InForce) != "01 02" || serialsOf(st.Vanished) != "01 02" {
		t.Errorf("in force %s, vanished %s", serialsOf(st.InForce), serialsOf(st.Vanished))
	}
	d.sign(store.Signing{})
	if signed := d.signed(); signed != "01 02" {
		t.Errorf("signed %s", signed)
	}
	d.ledger(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("meta")).Get([]byte("revoked")) != nil {
			t.Error("the ledger still has the list in its old place")
		}
		// An ftsca of before goes on in its own place.
		return tx.Bucket([]byte("meta")).Put([]byte("revoked"), d.listText(one, three))
	})
	d.forget()
	d.sign(store.Signing{})
	if signed := d.signed(); signed != "01 02 03" {
		t.Errorf("signed %s", signed)
	}
}

// What cannot be read of the ledger's last good list stops the signing, which would let somebody in, and no revocation,
// which mends it.
func TestDamagedLastList(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.ledger(func(tx *bbolt.Tx) error {
		last := tx.Bucket([]byte("last"))
		entries := last.Get([]byte("entries"))
		return last.Put([]byte("entries"), entries[:len(entries)-1])
	})
	d.forget()
	if _, err := d.SignCRL(t.Context(), store.Signing{}, d.authority); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("signing: %v", err)
	}
	o, err := d.Revoke(t.Context(), []crl.Entry{entryOf(3, d.now)}, nil)
	if err != nil || len(o.Problems) != 1 || serialsOf(o.Vanished) != "01" {
		t.Errorf("revoking: %v, %v, vanished %s", err, o.Problems, serialsOf(o.Vanished))
	}
	d.sign(store.Signing{})
	if signed := d.signed(); signed != "01 03" {
		t.Errorf("signed %s", signed)
	}
}

// An entry that was signed stays in force wherever it went, be it for one authority or for all.
func TestSignedForOthers(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.ledger(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("last")) })
	other := entryOf(1, d.now)
	other.Issuer = strings.Repeat("ab", 20)
	d.write("FTS_CRL.json", other)
	d.write(".FTS_CRL.last", other)
	st := d.standing()
	if serialsOf(st.InForce) != "01 01 02" || serialsOf(st.Vanished) != "01 02" || len(st.Unsigned)+len(st.Dropped) != 0 {
		t.Errorf("in force %s, vanished %s, unsigned %s, dropped %s", serialsOf(st.InForce), serialsOf(st.Vanished),
			serialsOf(st.Unsigned), serialsOf(st.Dropped))
	}
}

// On an endpoint without the authority nothing but the hidden copy knows what was revoked there and not signed yet.
func TestAnEndpointAloneKeepsItsLastGoodList(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(*desk)
		theirs string // in force beside, as another hand has put it there
	}{
		{"emptied", func(d *desk) { d.put("FTS_CRL.json", nil) }, ""},
		{"broken", func(d *desk) { d.put("FTS_CRL.json", []byte(`{"revoked_certificates": [,]}`)) }, ""},
		{"a list of two", func(d *desk) { d.write("FTS_CRL.json", entryOf(4, d.now), entryOf(5, d.now)) }, " 04 05"},
		{"gone", func(d *desk) {
			if err := os.Remove(filepath.Join(d.Endpoint(), "FTS_CRL.json")); err != nil {
				d.t.Fatal(err)
			}
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := endpointOf(t, newDesk(t))
			d.revoke(entryOf(1, d.now), entryOf(2, d.now))
			test.spoil(d)
			if got, want := serialsOf(d.standing().InForce), "01 02"+test.theirs; got != want {
				t.Errorf("in force is %q, want %q", got, want)
			}
			d.revoke(entryOf(3, d.now))
			if got, want := serialsOf(d.standing().InForce), "01 02 03"+test.theirs; got != want {
				t.Errorf("after the next revocation in force is %q, want %q", got, want)
			}
		})
	}
}
