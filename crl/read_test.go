package crl_test

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestReadEntries(t *testing.T) {
	text := asText(many(1000))
	for name, data := range map[string][]byte{
		"a long list": text, "none": crl.NewList().Bytes(), "a byte order mark": append([]byte("\ufeff"), text...),
		"escapes": []byte(`{"a": "\u0000", "revoked_certificates": [{"serial_n\u0075mber": "\u0030a", "reason": "Key\u0020Compromise"}]}`),
	} {
		want, err := crl.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int64{-1, 0, int64(len(data))} {
			got, err := crl.ReadEntries(iotest.OneByteReader(bytes.NewReader(data)), size)
			if err != nil || !slices.Equal(got, want.Entries()) {
				t.Errorf("%s: %d entries, %v", name, len(got), err)
			}
		}
	}
	for _, broken := range []string{"", " ", "{}", "[]", "-----BEGIN X509 CRL-----", "\xff\xfe{\x00}\x00", string(text[:len(text)-3]),
		string(text) + "x", strings.Replace(string(text), "serial_number", "serial", 1)} {
		if _, err := crl.ReadEntries(strings.NewReader(broken), int64(len(broken))); err == nil {
			t.Errorf("%.40q is read", broken)
		}
	}
}

func TestParseX509Head(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	for _, n := range []int{0, 1, 2, 1000} {
		der, err := crl.Sign(crl.Template{Entries: many(n), Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().AddDate(1, 0, 0)}, ca.Cert, ca.Key)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := crl.ParseX509(der)
		if err != nil {
			t.Fatal(err)
		}
		head, err := crl.ParseX509Head(der)
		if err != nil || head.CheckSignature(ca.Cert) != nil || len(head.Entries) > 0 {
			t.Fatalf("%d entries, %v", len(head.Entries), err)
		}
		if all := slices.Collect(head.All()); !slices.Equal(all, whole.Entries) || head.Len() != n || whole.Len() != n {
			t.Errorf("%d entries of %d", len(all), n)
		}
		for range head.All() {
			break
		}
	}
}
