package export

import (
	"crypto"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

const password = "river-stone-4417"

// material is that of a store with a root, an issuing authority and a server whose key is sealed.
func material(t *testing.T) Material {
	t.Helper()
	issuing := testpki.NewRoot(t, "Valley Rescue Root").Issuing(t, "Valley Rescue CA")
	server := issuing.Server(t, "fts.example.org")
	passphrase := secret.FromString("of the server")
	sealed, err := keyfile.NewSealer(1000).Seal(server.PrivateKey.(crypto.Signer), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	cas := issuing.Chain()
	return Material{
		Authorities: cas, CA: testpki.CertPEM(cas...), Lists: []byte("lists"), List: []byte("list"),
		Server: server.Leaf, Chain: testpki.CertPEM(server.Leaf, cas[0]), Key: sealed,
		Unseal: func() (secret.Secret, error) { return passphrase, nil },
	}
}

func fts() FTS {
	return FTS{Password: secret.FromString(password), Encoder: pkcs12.NewEncoder(pkcs12.TAK, 1)}
}

// file is one of the form's, with its content.
func file(t *testing.T, f FTS, m Material, name string) (File, []byte) {
	t.Helper()
	for _, file := range f.Files(m) {
		if file.Name == name {
			data, err := file.Data()
			if err != nil {
				t.Fatal(err)
			}
			return file, data
		}
	}
	t.Fatalf("there is no %s", name)
	return File{}, nil
}

func TestASealedKeyIsExportedInClearUnderBothNames(t *testing.T) {
	m := material(t)
	for _, name := range []string{"server.key", "server.key.unencrypted"} {
		f, data := file(t, fts(), m, name)
		if keyfile.IsSealed(data) || f.Mode != 0o600 {
			t.Errorf("%s is sealed, or has mode %o", name, f.Mode)
		}
		key, err := keyfile.Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := keyfile.Match(key, m.Server); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTrustStoreHasTheAuthoritiesAlone(t *testing.T) {
	m := material(t)
	_, data := file(t, fts(), m, "server.p12")
	anchors, err := pkcs12.ReadTrustStore(data, password)
	if err != nil || len(anchors) != 2 {
		t.Fatalf("%d anchors, %v", len(anchors), err)
	}
	with := fts()
	with.KeyInTrustStore = true
	f, data := file(t, with, m, "server.p12")
	id, err := pkcs12.ReadIdentity(data, password)
	if err != nil || !id.Certificate.Equal(m.Server) || len(id.Chain) != 2 || f.Mode != 0o600 {
		t.Errorf("with its key, mode %o: %+v, %v", f.Mode, id, err)
	}
}

// It is made anew only where it means something else, since its bytes differ each time.
func TestTheTrustStoreChangesWithItsMeaning(t *testing.T) {
	m := material(t)
	was, _ := file(t, fts(), m, "server.p12")
	if now, _ := file(t, fts(), m, "server.p12"); now.Version != was.Version {
		t.Error("it changes by itself")
	}
	other := fts()
	other.Password = secret.FromString("another")
	if now, _ := file(t, other, m, "server.p12"); now.Version == was.Version {
		t.Error("a new password does not change it")
	}
	m.Authorities = append([]*x509.Certificate{testpki.NewRoot(t, "Valley Rescue CA 2").Chain()[0]}, m.Authorities...)
	if now, _ := file(t, fts(), m, "server.p12"); now.Version == was.Version {
		t.Error("a new authority does not change it")
	}
}

func TestAKeyThatIsNotTheServersIsNotExported(t *testing.T) {
	m := material(t)
	m.Key = testpki.KeyPEM(t, testpki.NewKey(t))
	_, err := m.openKey()
	if err == nil {
		t.Fatal("it is")
	}
	m.Key, m.Unseal = material(t).Key, nil
	if _, err := m.openKey(); !errors.Is(err, keyfile.ErrSealed) {
		t.Errorf("sealed, and nobody to ask: %v", err)
	}
}
