package check_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"os"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
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

// packSame packs the same data under several names, and squeezes it once.
func packSame(t testing.TB, data []byte, names ...string) []byte {
	t.Helper()
	first := pack(t, item{names[0], data})
	r, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f := *r.File[0]
		f.Name = name
		if err := w.Copy(&f); err != nil {
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
func opensslTrust(t testing.TB) []byte { return read(t, "../../pkcs12/testdata/openssl3-nokeys.p12") }

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// endless asks for 5,000,000 rounds of key derivation three times, the most that package pkcs12 takes.
func endless(p *pki) []byte {
	p.t.Helper()
	// 70,000 and 5,000,000 take the same number of bytes.
	data, err := pkcs12.NewEncoder(pkcs12.TAK, 70_000).Identity(p.client.PrivateKey.(crypto.Signer), p.client.Leaf, nil, password)
	if err != nil {
		p.t.Fatal(err)
	}
	from, to := []byte{2, 3, 0x01, 0x11, 0x70}, []byte{2, 3, 0x4c, 0x4b, 0x40}
	if bytes.Count(data, from) != 3 {
		p.t.Fatal("the rounds are not found")
	}
	return bytes.ReplaceAll(data, from, to)
}

// version1 is a self-signed certificate without extensions, as old guides have people make it: Go writes version 3 alone.
func version1(p *pki) *x509.Certificate {
	p.t.Helper()
	key := testpki.NewKey(p.t)
	var tbs, version, serial cryptobyte.String
	whole := cryptobyte.String(testpki.NewRoot(p.t, "Old Root", lasting(), testpki.Key(key)).Cert.RawTBSCertificate)
	if !whole.ReadASN1(&tbs, asn1.SEQUENCE) || !tbs.ReadASN1Element(&version, asn1.Tag(0).ContextSpecific().Constructed()) {
		p.t.Fatal("the certificate is of another form")
	}
	fields := [][]byte{}
	for range 6 {
		if !tbs.ReadAnyASN1Element(&serial, new(asn1.Tag)) {
			p.t.Fatal("the certificate is cut short")
		}
		fields = append(fields, serial)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(fields, nil)) })
	body := b.BytesOrPanic()
	digest := sha256.Sum256(body)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		p.t.Fatal(err)
	}
	var out cryptobyte.Builder
	out.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(body)
		b.AddBytes(fields[1])
		b.AddASN1BitString(signature)
	})
	c, err := x509.ParseCertificate(out.BytesOrPanic())
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// keyOf521 and edwards are keys that not every device takes.
func keyOf521(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func edwards(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
