package store_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func TestWhoeverRewritesTheListWithoutALockLosesNothingBesideUs(t *testing.T) {
	t.Parallel()
	const each = 40
	d := newDesk(t)
	path := filepath.Join(d.Endpoint(), "FTS_CRL.json")
	done := make(chan error, 1)
	go func() {
		done <- byHand(path, each)
	}()
	for n := range each {
		if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(int64(0xbb0000+n), begun)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// What is no longer in the file is in force all the same, and is put back.
	if _, err := d.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := crl.Parse(d.read("endpoint/FTS_CRL.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range []int64{0xaa0000, 0xbb0000} {
		for n := range int64(each) {
			if !list.Contains(crl.SerialOf(big.NewInt(first+n)), "") {
				t.Errorf("%x is lost", first+n)
			}
		}
	}
}

// byHand revokes as the snippet in FreeTAKServer's documents does: it reads the list, adds to it, and writes it in place.
func byHand(path string, times int) error {
	for n := 0; n < times; {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var list map[string][]map[string]any
		if json.Unmarshal(data, &list) != nil {
			continue // it is being written
		}
		list["revoked_certificates"] = append(list["revoked_certificates"], map[string]any{"serial_number": fmt.Sprintf("AA%04X", n)})
		if data, err = json.MarshalIndent(list, "", "  "); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		n++
	}
	return nil
}
