package csr_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/csr"
)

func key(t *testing.T) crypto.PublicKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

func TestSubjectTakesTheNamesThatPeopleHave(t *testing.T) {
	for _, name := range []string{
		"alice", "Zoë Müller-Łukasz", "山田 太郎", "محمد الأحمد", "O'Brien & Söhne", `Robert "Bob" <Tables>`, "जोशी", "👩‍🚒 Brigade",
		"a", strings.Repeat("é", 64), "0123", "x.509", "../../etc/passwd", "#1", "alice#2",
	} {
		r, err := csr.New(key(t), csr.Subject{CommonName: name}, nil)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if r.Subject.CommonName != name {
			t.Errorf("%q became %q", name, r.Subject.CommonName)
		}
	}
}

func TestSubjectOfTheSameNameTypedTwoWaysIsOne(t *testing.T) {
	composed, decomposed := "Zo\u00eb", "Zoe\u0308"
	r, err := csr.New(key(t), csr.Subject{CommonName: decomposed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Subject.CommonName != composed {
		t.Errorf("%+q became %+q, want %+q", decomposed, r.Subject.CommonName, composed)
	}
}

func TestSubjectRefusesWhatIsNoName(t *testing.T) {
	tests := []struct {
		name    string
		subject csr.Subject
		want    string
	}{
		{"empty", csr.Subject{}, `name "": it is empty`},
		{"space alone", csr.Subject{CommonName: " \u00a0"}, "name \" \\u00a0\": it is empty"},
		{"edge", csr.Subject{CommonName: " alice"}, `name " alice": it begins or ends with a space`},
		{"control", csr.Subject{CommonName: "a\tb"}, `name "a\tb": the character U+0009 is not one for a name`},
		{"newline", csr.Subject{CommonName: "a\nb"}, `name "a\nb": the character U+000A is not one for a name`},
		{"zero", csr.Subject{CommonName: "a\x00b"}, `name "a\x00b": the character U+0000 is not one for a name`},
		{"line separator", csr.Subject{CommonName: "a\u2028b"}, "name \"a\\u2028b\": the character U+2028 is not one for a name"},
		{"override", csr.Subject{CommonName: "a\u202eb"}, "name \"a\\u202eb\": the character U+202E turns the direction of text and can disguise a name"},
		{"not UTF-8", csr.Subject{CommonName: "a\xff"}, `name "a\xff": it is not valid UTF-8`},
		{"long", csr.Subject{CommonName: strings.Repeat("ä", 65)}, `name "` + strings.Repeat("ä", 65) + `": 65 characters, and at most 64 fit`},
		{"country", csr.Subject{CommonName: "a", Country: "Canada"}, `country "Canada": want a code of two letters, such as CA`},
		{"unit that is a group", csr.Subject{CommonName: "a", Unit: "group:red"}, `unit "group:red": a unit that begins with "group:" is a group: ask for it as a group`},
		{"empty group", csr.Subject{CommonName: "a", Groups: []string{""}}, `group "": it is empty`},
		{"long group", csr.Subject{CommonName: "a", Groups: []string{strings.Repeat("g", 59)}}, `group "` + strings.Repeat("g", 59) + `": 59 characters, and at most 58 fit`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := csr.New(key(t), tt.subject, nil)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestRequestSortsNamesFromAddresses(t *testing.T) {
	r, err := csr.New(key(t), csr.Subject{CommonName: "s"}, []string{
		"FTS.example.org", "10.0.0.5", "fts.example.org", "::ffff:10.0.0.5", "2001:db8::1", "[2001:db8::1]", "*.example.org", "localhost", "1.example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"fts.example.org", "*.example.org", "localhost", "1.example.org"}; !slices.Equal(r.DNSNames, want) {
		t.Errorf("DNS names %q, want %q", r.DNSNames, want)
	}
	var addresses []string
	for _, a := range r.Addresses {
		addresses = append(addresses, a.String())
	}
	if want := []string{"10.0.0.5", "2001:db8::1"}; !slices.Equal(addresses, want) {
		t.Errorf("addresses %q, want %q", addresses, want)
	}
}

func TestRequestRefusesWhatNoDeviceCouldConnectTo(t *testing.T) {
	tests := []struct{ san, want string }{
		{"", `name "": it is empty`},
		{"a b", `name "a b": ' ' does not stand in a DNS name`},
		{"under_score.org", `name "under_score.org": '_' does not stand in a DNS name`},
		{"-a.org", `name "-a.org": "-a" begins or ends with a hyphen`},
		{"a..org", `name "a..org": a DNS name has no empty part between its dots`},
		{"example.org.", `name "example.org.": a DNS name has no empty part between its dots`},
		{"a.*.org", `name "a.*.org": '*' does not stand in a DNS name`},
		{"10.0.0.256", `name "10.0.0.256": it is neither an IP address nor a DNS name: a last part of digits alone is an address`},
		{"fe80::1%eth0", `address "fe80::1%eth0": a zone means nothing outside its own machine`},
		{"zürich.example", `name "zürich.example": write international names in their xn-- form: 'ü' is not ASCII`},
		{strings.Repeat("a", 64) + ".org", `name "` + strings.Repeat("a", 64) + `.org": "` + strings.Repeat("a", 64) + `" is longer than the 63 characters between two dots`},
		{strings.Repeat("a.", 127) + "org", `name "` + strings.Repeat("a.", 127) + `org": 257 characters, and a DNS name has at most 253`},
	}
	for _, tt := range tests {
		_, err := csr.New(key(t), csr.Subject{CommonName: "s"}, []string{tt.san})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.san, err, tt.want)
		}
		if strings.Contains(tt.san, "%") || tt.san == "" {
			continue
		}
		if csr.IsHost(tt.san) {
			t.Errorf("%q is taken for a host", tt.san)
		}
	}
}

func TestRequestRefusesWeakKeys(t *testing.T) {
	weak := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	if _, err := csr.New(weak, csr.Subject{CommonName: "s"}, nil); err == nil || !strings.HasPrefix(err.Error(), "public key: ") {
		t.Errorf("a key of RSA 1024: %v", err)
	}
}

func TestGroupsBecomeOrganizationalUnits(t *testing.T) {
	r, err := csr.New(key(t), csr.Subject{CommonName: "a", Unit: "Alpine", Groups: []string{"blue", "red"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := r.Subject.DER()
	if err != nil {
		t.Fatal(err)
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		t.Fatal(err)
	}
	if got, want := name.String(), "CN=a,OU=group:red,OU=group:blue,OU=Alpine"; got != want {
		t.Errorf("the subject is %q, want %q", got, want)
	}
}
