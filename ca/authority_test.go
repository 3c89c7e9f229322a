package ca_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
)

var founded = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// memory is a ledger in memory.
type memory struct {
	latest    time.Time
	last      map[string]int
	reserved  map[string]bool
	delivered []ca.Delivery
	failure   error
}

func newMemory() *memory { return &memory{last: map[string]int{}, reserved: map[string]bool{}} }

func (m *memory) Reserve(_ context.Context, claims []ca.Claim) ([]ca.Reservation, error) {
	var reservations []ca.Reservation
	for _, c := range claims {
		if m.last[c.Name] > 0 && !c.NewGeneration || m.reserved[c.Name] {
			return nil, &ca.NameInUseError{Name: c.Name, Generation: m.last[c.Name], Reserved: m.reserved[c.Name]}
		}
		reservations = append(reservations, ca.Reservation{Name: c.Name, Generation: m.last[c.Name] + 1, Latest: m.latest})
	}
	for _, c := range claims {
		m.reserved[c.Name] = true
	}
	return reservations, nil
}

func (m *memory) Release(_ context.Context, reservations []ca.Reservation) error {
	for _, r := range reservations {
		delete(m.reserved, r.Name)
	}
	return nil
}

func (m *memory) Commit(_ context.Context, ds []ca.Delivery) error {
	if m.failure != nil {
		return m.failure
	}
	for _, d := range ds {
		m.last[d.Reservation.Name] = d.Reservation.Generation
		delete(m.reserved, d.Reservation.Name)
		m.delivered = append(m.delivered, d)
	}
	return nil
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// authority founds one whose clock stands where now says.
func authority(t testing.TB, ledger ca.Ledger, now *time.Time) *ca.Authority {
	t.Helper()
	return found(t, ca.Single, ledger, ca.Clock{Now: func() time.Time { return *now }})
}

func found(t testing.TB, purpose ca.Purpose, ledger ca.Ledger, clock ca.Clock) *ca.Authority {
	t.Helper()
	key := newKey(t)
	cert, err := ca.Found(ca.Foundation{Purpose: purpose, Subject: csr.Subject{CommonName: "Valley Rescue CA"}, Key: key, Now: founded})
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.New(ca.Config{Certificate: cert, Key: key, Ledger: ledger, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(t testing.TB, public crypto.PublicKey, s csr.Subject, names ...string) csr.Request {
	t.Helper()
	r, err := csr.New(public, s, names)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFoundedAuthorityIsItsOwnRootAndNothingMore(t *testing.T) {
	now := founded
	cert := authority(t, newMemory(), &now).Certificate()
	if err := cert.CheckSignatureFrom(cert); err != nil {
		t.Error(err)
	}
	if !cert.IsCA || !cert.MaxPathLenZero || cert.MaxPathLen != 0 {
		t.Errorf("IsCA %v, path length %d", cert.IsCA, cert.MaxPathLen)
	}
	if cert.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || len(cert.ExtKeyUsage) != 0 {
		t.Errorf("key usage %b, extended %v", cert.KeyUsage, cert.ExtKeyUsage)
	}
	if want := founded.Add(-24 * time.Hour); !cert.NotBefore.Equal(want) {
		t.Errorf("valid from %s, want %s", cert.NotBefore, want)
	}
	if want := founded.AddDate(0, 0, 3650); !cert.NotAfter.Equal(want) {
		t.Errorf("valid to %s, want %s", cert.NotAfter, want)
	}
}

func TestIssuedCertificatesFollowTheirProfile(t *testing.T) {
	now := founded
	a := authority(t, newMemory(), &now)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	channels := "1.2.840.113549.1.9.7"
	tests := []struct {
		name     string
		order    ca.Order
		usage    x509.KeyUsage
		extended []x509.ExtKeyUsage
		unknown  string
	}{
		{"server", ca.Order{Purpose: ca.Server, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "s1"}, "s.example.org", "10.0.0.5")},
			x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, ""},
		{"RSA server", ca.Order{Purpose: ca.Server, Request: request(t, rsaKey.Public(), csr.Subject{CommonName: "s2"}, "s.example.org")},
			x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, ""},
		{"federating server", ca.Order{Purpose: ca.Server, AlsoClient: true, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "s3"}, "s.example.org")},
			x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, ""},
		{"client", ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "c1", Groups: []string{"blue"}})},
			x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ""},
		{"RSA client", ca.Order{Purpose: ca.Client, Request: request(t, rsaKey.Public(), csr.Subject{CommonName: "c2"})},
			x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ""},
		{"client with channels", ca.Order{Purpose: ca.Client, Channels: true, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "c3"})},
			x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, channels},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entry, err := a.Issue(t.Context(), tt.order)
			if err != nil {
				t.Fatal(err)
			}
			cert := entry.Certificate
			if err := cert.CheckSignatureFrom(a.Certificate()); err != nil {
				t.Error(err)
			}
			if cert.KeyUsage != tt.usage || !slices.Equal(cert.ExtKeyUsage, tt.extended) {
				t.Errorf("key usage %b, extended %v", cert.KeyUsage, cert.ExtKeyUsage)
			}
			unknown := ""
			for _, id := range cert.UnknownExtKeyUsage {
				unknown += id.String()
			}
			if unknown != tt.unknown {
				t.Errorf("further usages %q, want %q", unknown, tt.unknown)
			}
			if cert.IsCA || !cert.BasicConstraintsValid {
				t.Error("it is an authority's, or does not say that it is none")
			}
			if n := len(cert.SerialNumber.Bytes()); n != 16 || cert.SerialNumber.Sign() != 1 {
				t.Errorf("the serial %x has %d bytes", cert.SerialNumber, n)
			}
			if len(cert.SubjectKeyId) != 20 || string(cert.AuthorityKeyId) != string(a.Certificate().SubjectKeyId) {
				t.Errorf("key identifiers %x under %x", cert.SubjectKeyId, cert.AuthorityKeyId)
			}
			if want := founded.AddDate(0, 0, 730); !cert.NotAfter.Equal(want) {
				t.Errorf("valid to %s, want %s", cert.NotAfter, want)
			}
		})
	}
}

func TestNoCertificateOutlivesOrPredatesItsAuthority(t *testing.T) {
	now := founded
	a := authority(t, newMemory(), &now)
	entry, err := a.Issue(t.Context(), ca.Order{Purpose: ca.Client, Days: 20000, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "long"})})
	if err != nil {
		t.Fatal(err)
	}
	if !entry.Cut || !entry.Certificate.NotAfter.Equal(a.Certificate().NotAfter) {
		t.Errorf("cut %v, valid to %s, the authority to %s", entry.Cut, entry.Certificate.NotAfter, a.Certificate().NotAfter)
	}
	if entry.Certificate.NotBefore.Before(a.Certificate().NotBefore) {
		t.Errorf("valid from %s, the authority from %s", entry.Certificate.NotBefore, a.Certificate().NotBefore)
	}
	now = a.Certificate().NotAfter.Add(time.Second)
	_, err = a.Issue(t.Context(), ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "late"})})
	if !errors.Is(err, ca.ErrExpired) {
		t.Errorf("an expired authority issued: %v", err)
	}
}

func TestOrdersThatCannotStandAreRefused(t *testing.T) {
	now := founded
	ledger := newMemory()
	a := authority(t, ledger, &now)
	client := request(t, newKey(t).Public(), csr.Subject{CommonName: "c"})
	server := request(t, newKey(t).Public(), csr.Subject{CommonName: "s"}, "s.example.org")
	own := request(t, a.Certificate().PublicKey, csr.Subject{CommonName: "own"})
	tests := []struct {
		name  string
		order ca.Order
		want  string
	}{
		{"no request", ca.Order{Purpose: ca.Client}, "the request has no public key"},
		{"no purpose", ca.Order{Request: client}, `no certificate is issued for the purpose "": want "server", "client" or "issuing"`},
		{"an authority of its own", ca.Order{Purpose: ca.Single, Request: client}, `no certificate is issued for the purpose "ca": want "server", "client" or "issuing"`},
		{"an authority below", ca.Order{Purpose: ca.Issuing, Request: client}, `"Valley Rescue CA" may have no authority below it: its path length does not allow one`},
		{"server without a name", ca.Order{Purpose: ca.Server, Request: client}, "a server's certificate needs at least one DNS name or address that devices connect to"},
		{"client that is also a client", ca.Order{Purpose: ca.Client, AlsoClient: true, Request: client}, "only a server's certificate can also be a client's"},
		{"server with channels", ca.Order{Purpose: ca.Server, Channels: true, Request: server}, "only a client's certificate carries the mark for channels"},
		{"the authority's own key", ca.Order{Purpose: ca.Client, Request: own}, "the request asks for the authority's own key to be certified"},
		{"past", ca.Order{Purpose: ca.Client, Days: -1, Request: client}, "a validity of -1 days has ended before it begins"},
		{"too long for Apple", ca.Order{Purpose: ca.Server, Days: 825, Request: server}, "826 days in all are too many: Apple's systems refuse a server certificate beyond 825"},
		{"beyond reason", ca.Order{Purpose: ca.Server, Days: 40000, AllowLong: true, Request: server}, "40000 days are more than the 36500 that are taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := a.Issue(t.Context(), tt.order); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if len(ledger.delivered)+len(ledger.reserved) != 0 {
		t.Errorf("refused orders left %d certificates and %d reservations", len(ledger.delivered), len(ledger.reserved))
	}
}

func TestFailureAfterReservingGivesTheNameBack(t *testing.T) {
	now := founded
	ledger := newMemory()
	a := authority(t, ledger, &now)
	order := ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "c"})}
	full := errors.New("no space left on device")

	failing := order
	failing.Pack = func(ca.Entry) ([]ca.Product, error) { return nil, full }
	if _, err := a.Issue(t.Context(), failing); !errors.Is(err, full) {
		t.Errorf("a failed packing: %v", err)
	}
	ledger.failure = full
	if _, err := a.Issue(t.Context(), order); !errors.Is(err, full) {
		t.Errorf("a failed commit: %v", err)
	}
	ledger.failure = nil
	cancelled, cancel := context.WithCancel(t.Context())
	late := order
	late.Pack = func(ca.Entry) ([]ca.Product, error) { cancel(); return nil, nil }
	if _, err := a.Issue(cancelled, late); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled order: %v", err)
	}
	if len(ledger.reserved) != 0 {
		t.Errorf("the name is still reserved")
	}
	entry, err := a.Issue(t.Context(), order)
	if err != nil || entry.Generation != 1 {
		t.Errorf("after the failures: generation %d, %v", entry.Generation, err)
	}
	var inUse *ca.NameInUseError
	if _, err := a.Issue(t.Context(), order); !errors.As(err, &inUse) || inUse.Generation != 1 {
		t.Errorf("the same name again: %v", err)
	}
	order.NewGeneration = true
	if entry, err = a.Issue(t.Context(), order); err != nil || entry.Generation != 2 {
		t.Errorf("a new generation: %d, %v", entry.Generation, err)
	}
}

func TestAClockThatCannotBeRightStopsSigning(t *testing.T) {
	now := founded.Add(time.Hour)
	tests := []struct {
		name   string
		latest time.Time
		built  time.Time
		want   string // the error; "" where it signs
	}{
		{"eleven minutes behind the ledger", now.Add(11 * time.Minute), time.Time{},
			"the clock shows 2026-06-01T13:00:00Z, and the ledger's last entry is of 2026-06-01T13:11:00Z"},
		{"nine minutes behind the ledger", now.Add(9 * time.Minute), time.Time{}, ""},
		{"before the program was built", now, now.Add(time.Second),
			"the clock shows 2026-06-01T13:00:00Z, and this program was built on 2026-06-01T13:00:01Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, ignore := range []bool{false, true} {
				ledger := newMemory()
				ledger.latest = tt.latest
				a := found(t, ca.Single, ledger, ca.Clock{Now: func() time.Time { return now }, Built: tt.built, Ignore: ignore})
				entry, err := a.Issue(t.Context(), ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "c"})})
				switch {
				case ignore && tt.want != "":
					if want := "the clock was overridden: " + tt.want; err != nil || entry.Remark != want {
						t.Errorf("overridden: remark %q, %v", entry.Remark, err)
					}
				case tt.want == "" && (err != nil || entry.Remark != ""):
					t.Errorf("remark %q, %v", entry.Remark, err)
				case tt.want != "" && (err == nil || err.Error() != tt.want):
					t.Errorf("got  %v\nwant %s", err, tt.want)
				}
			}
		})
	}
}

func TestAuthorityRefusesAKeyOrCertificateThatIsNotIts(t *testing.T) {
	now := founded
	a := authority(t, newMemory(), &now)
	if _, err := ca.New(ca.Config{Certificate: a.Certificate(), Key: newKey(t)}); err == nil {
		t.Error("a stranger's key was taken")
	}
	entry, err := a.Issue(t.Context(), ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "c"})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.New(ca.Config{Certificate: entry.Certificate, Key: newKey(t)}); err == nil || err.Error() != `the certificate of "c" is not an authority's` {
		t.Errorf("a client's certificate as an authority's: %v", err)
	}
}

func TestRevocationListsAreNumberedUpwardsWhateverTheClockSays(t *testing.T) {
	now := founded
	a := authority(t, newMemory(), &now)
	var last *big.Int
	for i, step := range []time.Duration{0, 0, time.Hour, -20 * time.Hour, time.Second} {
		now = now.Add(step)
		pem, number, err := a.SignCRL(now, []crl.Entry{{Serial: crl.SerialOf(big.NewInt(0xabcdef)), Date: now, Reason: crl.KeyCompromise}}, last, 0)
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && number.Cmp(last) <= 0 {
			t.Errorf("list %d has number %s after %s", i, number, last)
		}
		last = number
		list, err := crl.ParseX509(pem)
		if err != nil {
			t.Fatal(err)
		}
		if err := list.CheckSignature(a.Certificate()); err != nil {
			t.Error(err)
		}
		if list.ThisUpdate.After(now) || list.NextUpdate.Before(now.AddDate(0, 0, 364)) || len(list.Entries) != 1 {
			t.Errorf("list %d: %s to %s, %d entries", i, list.ThisUpdate, list.NextUpdate, len(list.Entries))
		}
	}
}

// A list is set back a day, as certificates are, for the tablets whose clocks are behind; but no list is older than the
// authority that signs it. Its end is counted from the moment of signing.
func TestRevocationListsAreSetBackADay(t *testing.T) {
	now := founded
	a := authority(t, newMemory(), &now)
	if begun := a.Certificate().NotBefore; !begun.Equal(founded.Add(-24 * time.Hour)) {
		t.Fatalf("the authority begins at %s", begun)
	}
	for signed, want := range map[time.Duration]time.Duration{
		-time.Hour:                             -24 * time.Hour,
		0:                                      -24 * time.Hour,
		time.Hour:                              -23 * time.Hour,
		30*24*time.Hour + 700*time.Millisecond: 29 * 24 * time.Hour,
	} {
		pem, _, err := a.SignCRL(founded.Add(signed), nil, nil, 90)
		if err != nil {
			t.Fatal(err)
		}
		list, err := crl.ParseX509(pem)
		if err != nil {
			t.Fatal(err)
		}
		if got := list.ThisUpdate; !got.Equal(founded.Add(want)) {
			t.Errorf("signed %s after the founding, thisUpdate is %s, want %s", signed, got, founded.Add(want))
		}
		if got, want := list.NextUpdate, founded.Add(signed).Truncate(time.Second).AddDate(0, 0, 90); !got.Equal(want) {
			t.Errorf("signed %s after the founding, nextUpdate is %s, want %s", signed, got, want)
		}
	}
}
