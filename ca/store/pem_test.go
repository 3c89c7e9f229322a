package store_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/ca/store"
)

// Published reads of ca.pem what encoding/pem would.
func TestPublishedPEM(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now))
	d.sign(store.Signing{})
	plain := string(d.read("endpoint/ca.pem"))
	broken := strings.Replace(plain, "\n", "\n!", 1)
	for name, text := range map[string]string{
		"plain":            plain,
		"two":              plain + plain,
		"CRLF":             strings.ReplaceAll(plain, "\n", "\r\n"),
		"blanks":           strings.ReplaceAll(plain, "\n", " \t\n"),
		"no last newline":  strings.TrimSuffix(plain, "\n"),
		"words":            "Certificate:\n    Data: -\n" + plain + "end",
		"dashes":           "-----\n" + plain,
		"headers":          strings.Replace(plain, "CERTIFICATE-----\n", "CERTIFICATE-----\nKey: value\n\n", 1),
		"broken":           broken + plain,
		"cut":              plain[:100],
		"cut before":       plain[:100] + "\n" + plain,
		"another end":      strings.Replace(plain, "END CERTIFICATE", "END X", 1) + plain,
		"begin in a line":  "x" + plain + plain,
		"one line":         strings.Replace(plain, "-----\n", "----- ", 1) + plain,
		"a long line":      strings.Repeat("x", 10_000) + "\n" + plain,
		"begins in begins": "-----BEGIN CERTIFICATE-----\n" + plain,
		"empty":            "",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(d.Endpoint(), "ca.pem"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			var want [][]byte
			for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
				if block.Type == "CERTIFICATE" && bytes.Equal(block.Bytes, d.authority.Certificate().Raw) {
					want = append(want, block.Bytes)
				}
			}
			if got := d.Published(); len(got) != len(want) {
				t.Errorf("%d certificates, want %d", len(got), len(want))
			}
		})
	}
}
