package check_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/tls"
	"os"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// packStored is pack without compression.
func packStored(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		f, err := w.CreateHeader(&zip.FileHeader{Name: i.name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(i.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packHeader packs a file more, whose header is changed.
func packHeader(t testing.TB, h *hand, change func(*zip.FileHeader)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range h.items() {
		f, err := w.Create(i.name)
		if err == nil {
			_, err = f.Write(i.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	header := &zip.FileHeader{Name: "odd.p12"}
	change(header)
	f, err := w.CreateRaw(header)
	if err == nil {
		_, err = f.Write(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opensslTrust is a trust store by openssl, without Java's mark: that of package pkcs12's tests.
func opensslTrust(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../../pkcs12/testdata/openssl3-nokeys.p12")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// patched has a MAC of 5,000,000 rounds: its number of rounds, 1, stands at the very end.
func patched(t testing.TB, p12 []byte) []byte {
	t.Helper()
	data, ok := bytes.CutSuffix(bytes.Clone(p12), []byte{2, 1, 1})
	if !ok {
		// go-pkcs12 leaves a number of 1 to the default.
		t.Fatal("the file does not end with its rounds")
	}
	return data
}

func sha1Identity(p *pki) []byte {
	p.t.Helper()
	_ = testpki.NewKey
	_ = crypto.SHA1
	return p.identityOf(tls.Certificate{})
}
