package csr_test

import (
	"bytes"
	"crypto/x509"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/testpki"
)

func FuzzParse(f *testing.F) {
	for _, file := range fixed(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(forge(f, named(f, "alice"), asking(f, microsoft, extension(f, "2.5.29.17", 0xff, tlv(sequence, tlv(0x82, []byte("a.example.org")))))))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		all, err := csr.Parse(data)
		if !bytes.Equal(data, kept) {
			t.Fatal("the file was changed")
		}
		if err != nil {
			if len(all) > 0 || err.Error() == "" || len(err.Error()) > 4096 {
				t.Errorf("%d requests and the error %v", len(all), err)
			}
			return
		}
		if len(all) == 0 || len(all) > 1000 {
			t.Errorf("%d requests", len(all))
		}
		for _, one := range all {
			judge(t, one, len(data))
		}
	})
}

// FuzzContents signs what it is given, so that it reaches what no change of a signed request does.
func FuzzContents(f *testing.F) {
	f.Add(named(f, "alice"), asking(f, standard, extension(f, "2.5.29.17", 0xff, tlv(sequence, tlv(0x82, []byte("a.example.org")), tlv(0x87, []byte{10, 0, 0, 5})))))
	f.Add(tlv(sequence, part(f, cn, 30, bmp("Zoë")), part(f, ou, 20, "group:blue"), part(f, "2.5.4.5", 19, "7")),
		slices.Concat(tlv(sequence, oid(f, "1.2.840.113549.1.9.7"), tlv(set, tlv(19, []byte("x")))), asking(f, microsoft,
			extension(f, "2.5.29.19", -1, tlv(sequence, tlv(0x01, []byte{0xff}))), extension(f, "2.5.29.15", -1, tlv(bitString, []byte{1, 0x06})))))
	f.Add(tlv(sequence), asking(f, standard, extension(f, "2.5.29.37", -1, tlv(sequence, oid(f, "1.3.6.1.5.5.7.3.2")))))
	f.Fuzz(func(t *testing.T, subject, attributes []byte) {
		der := forge(t, subject, attributes)
		all, err := csr.Parse(der)
		if err != nil {
			return
		}
		judge(t, all[0], len(der))
		// Whoever reads the extensions as crypto/x509 does may find nothing that was not told.
		parsed, err := x509.ParseCertificateRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		told := len(all[0].NotTaken)
		for _, e := range parsed.Extensions {
			switch e.Id.String() {
			case "2.5.29.17", "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.16.840.1.113730.1.1": // which may ask for nothing
			default:
				told--
			}
		}
		if told < 0 {
			t.Errorf("%v, and told is %q", parsed.Extensions, all[0].NotTaken)
		}
		if got := all[0].Asked; len(parsed.Extensions) > 0 && (len(parsed.DNSNames) < len(got.DNSNames) || len(parsed.IPAddresses) < len(got.Addresses)) {
			t.Errorf("%q and %v are taken of %q and %v", got.DNSNames, got.Addresses, parsed.DNSNames, parsed.IPAddresses)
		}
	})
}

// judge holds a request that was taken against what Parse promises.
func judge(t *testing.T, f csr.Foreign, size int) {
	if len(f.DER) > min(size, 32<<10) || len(f.Asked.DNSNames)+len(f.Asked.Addresses) > 100 {
		t.Errorf("%d bytes and %d names of a file of %d bytes", len(f.DER), len(f.Asked.DNSNames)+len(f.Asked.Addresses), size)
	}
	parsed, err := x509.ParseCertificateRequest(f.DER)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.CheckSignature(); err != nil || parsed.SignatureAlgorithm != f.Algorithm {
		t.Errorf("signed with %s, told is %s: %v", parsed.SignatureAlgorithm, f.Algorithm, err)
	}
	if err := keyfile.CheckPublic(f.Asked.PublicKey); err != nil {
		t.Error(err)
	}
	for _, row := range f.Rows() {
		// A character that no version of Unicode has yet is a box on a terminal, and may be a letter tomorrow.
		if strings.ContainsFunc(row[1], func(r rune) bool {
			return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
		}) {
			t.Errorf("a terminal shows %q", row)
		}
	}
	if len(f.Asked.Subject.Groups) > 0 || strings.Contains(strings.ToLower(f.Asked.Subject.Unit), "group:") {
		t.Errorf("it puts itself into a group: %+v", f.Asked.Subject)
	}
	r, err := f.As("alice", nil)
	if err != nil {
		t.Fatalf("under another name: %v", err)
	}
	if f.Asked.Subject.CommonName != "" {
		if r, err = f.As(f.Asked.Subject.CommonName, nil); err != nil || r.Subject.CommonName != f.Asked.Subject.CommonName {
			t.Errorf("%q becomes %q: %v", f.Asked.Subject.CommonName, r.Subject.CommonName, err)
		}
	}
	names := slices.Clone(r.DNSNames)
	for _, a := range r.Addresses {
		names = append(names, a.String())
	}
	again, err := csr.New(r.PublicKey, r.Subject, names)
	if err != nil {
		t.Fatal(err)
	}
	same(t, again, r)
	twice, err := csr.Parse(f.DER)
	if err != nil || len(twice) != 1 || !slices.Equal(twice[0].Rows(), f.Rows()) {
		t.Errorf("read again it is %v: %v", twice, err)
	}
}

func FuzzCreate(f *testing.F) {
	f.Add("alice", "Valley Rescue", "Alpine", "fts.example.org", "10.0.0.5", false)
	f.Add("Zoe\u0308, CN=x", "a+b", "Отряд: Альфа", "*.a.org", "2001:db8::1", true)
	key := testpki.NewKey(f)
	f.Fuzz(func(t *testing.T, name, organization, unit, host, address string, authority bool) {
		names := []string{host}
		if a, err := netip.ParseAddr(address); err == nil {
			names = append(names, a.String())
		}
		want, err := csr.New(key.Public(), csr.Subject{CommonName: name, Organization: organization, Unit: unit}, names)
		if err != nil {
			return
		}
		create := csr.Create
		if authority {
			create = csr.CreateAuthority
		}
		file, err := create(key, want)
		if err != nil {
			t.Fatal(err)
		}
		all, err := csr.Parse(file)
		if err != nil {
			// What a person types may hold what could pass for a group; what comes from outside may not.
			if strings.Contains(err.Error(), "it could pass for a group") {
				return
			}
			t.Fatal(err)
		}
		got, err := all[0].As(all[0].Name(), nil)
		if err != nil {
			t.Fatal(err)
		}
		words := 0
		if authority {
			words = 2
		}
		if all[0].Authority != authority {
			t.Errorf("an authority's: %t", all[0].Authority)
		}
		if len(all[0].NotTaken) == words {
			same(t, got, want)
		}
		judge(t, all[0], len(file))
	})
}
