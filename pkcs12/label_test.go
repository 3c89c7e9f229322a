package pkcs12_test

import (
	"strings"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

func oneFile(t *testing.T, p pkcs12.Profile) []byte {
	t.Helper()
	root := testpki.NewRoot(t, "Valley Root")
	alice := root.Client(t, "alice")
	data, err := pkcs12.NewEncoder(p, 10).Identity(key(alice), alice.Leaf, root.Chain(), password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestNamesAreKept(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	alice := root.Client(t, "alice")
	for given, want := range map[string]string{
		"": "", "Alice": "Alice", "Zürich 山田": "Zürich 山田", "two\nlines": "two lines", "😀": "\ufffd", strings.Repeat("x", 200): strings.Repeat("x", 100),
	} {
		for _, p := range pkcs12.Profiles() {
			id := pkcs12.Identity{Key: key(alice), Certificate: alice.Leaf, Chain: root.Chain(), Name: given}
			data, err := pkcs12.NewEncoder(p, 10).WriteIdentity(id, password)
			if err != nil {
				t.Fatal(err)
			}
			back, err := pkcs12.ReadIdentity(data, password)
			if err != nil || back.Name != want || !sameKey(back.Key, id.Key) || !sameCerts(back.Chain, id.Chain) {
				t.Errorf("%s: %q is called %q, %v", p, given, back.Name, err)
			}
			if k, leaf, _, err := sslmate.DecodeChain(data, password); err != nil || !sameKey(k, id.Key) || !leaf.Equal(alice.Leaf) {
				t.Errorf("%s: %q, the library reads %v", p, given, err)
			}
		}
	}
	anchors := []pkcs12.Anchor{{Certificate: root.Cert, Name: "mountain"}, {Certificate: testpki.NewRoot(t, "Sea").Cert, Name: "MOUNTAIN"},
		{Certificate: testpki.NewRoot(t, "River").Cert}}
	data, err := pkcs12.Encoder{}.WriteTrustStore(anchors, password)
	if err != nil {
		t.Fatal(err)
	}
	back, err := pkcs12.ReadTrustStore(data, password)
	if err != nil || len(back) != 3 || back[0].Name != "mountain" || !strings.HasPrefix(back[1].Name, "MOUNTAIN (") || back[2].Name != "River" || !back[0].Java {
		t.Errorf("the trust store has %+v, %v", back, err)
	}
}
