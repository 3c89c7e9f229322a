package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

// withKeyEncipherment is what the RSA key exchange would need.
func withKeyEncipherment(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }

func TestJudge(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	end := begin.AddDate(1, 0, 0)
	lifetime := testpki.Validity(begin.AddDate(-1, 0, 0), end.AddDate(1, 0, 0))
	root := testpki.NewRoot(t, "Root", lifetime)
	ca := root.Issuing(t, "Valley CA", lifetime)
	renewed := root.Issuing(t, "Valley CA", testpki.Key(ca.Key),
		testpki.Validity(begin.AddDate(-1, 0, 0), begin.AddDate(0, 6, 0)))
	sister := root.Issuing(t, "Hill CA", lifetime)
	alice := ca.Client(t, "alice", testpki.Serial(big.NewInt(0x0a1b)), testpki.Validity(begin, end)).Leaf
	chain := []*x509.Certificate{alice, ca.Cert}
	// A resumed session's certificates are parsed anew.
	again := func(c *x509.Certificate) *x509.Certificate {
		c, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	good := &mtls.Trust{Issuers: []*x509.Certificate{ca.Cert}, Revocations: list{}}
	bad := &mtls.Trust{Issuers: good.Issuers,
		Revocations: revoking(ca, tls.Certificate{Leaf: alice})}
	rollover := &mtls.Trust{Issuers: []*x509.Certificate{renewed.Cert, ca.Cert}, Revocations: list{}}
	summer := begin.AddDate(0, 3, 0)
	tests := []struct {
		name   string
		trust  *mtls.Trust
		chains [][]*x509.Certificate
		now    time.Time
		cause  mtls.Cause
		err    string
	}{
		{name: "good", trust: good, chains: [][]*x509.Certificate{chain}, now: summer},
		{name: "parsed anew", trust: good, now: summer,
			chains: [][]*x509.Certificate{{again(alice), again(ca.Cert)}}},
		{name: "in its first second", trust: good, chains: [][]*x509.Certificate{chain}, now: begin},
		{name: "in its last second", trust: good, chains: [][]*x509.Certificate{chain}, now: end},
		{name: "before its first second", trust: good, chains: [][]*x509.Certificate{chain},
			now: begin.Add(-time.Nanosecond), cause: mtls.NotYetValid,
			err: `certificate 0a1b of "alice" is not valid before 2026-03-01T12:00:00Z`},
		{name: "after its last second", trust: good, chains: [][]*x509.Certificate{chain},
			now: end.Add(time.Second), cause: mtls.Expired,
			err: `certificate 0a1b of "alice" expired at 2027-03-01T12:00:00Z`},
		{name: "revoked", trust: bad, chains: [][]*x509.Certificate{chain}, now: summer,
			cause: mtls.Revoked, err: `certificate 0a1b of "alice" is revoked`},
		{name: "no list", trust: &mtls.Trust{Issuers: good.Issuers}, chains: [][]*x509.Certificate{chain}, now: summer,
			cause: mtls.Revoked, err: `certificate 0a1b of "alice" cannot be let in without a revocation list`},
		{name: "no trust", trust: nil, chains: [][]*x509.Certificate{chain}, now: summer,
			cause: mtls.Untrusted, err: `certificate 0a1b of "alice" was not issued by a CA whose clients are let in`},
		{name: "no chain", trust: good, now: summer,
			cause: mtls.Untrusted, err: "the peer has no verified certificate"},
		{name: "empty chain", trust: good, chains: [][]*x509.Certificate{{}}, now: summer,
			cause: mtls.Untrusted, err: "the peer has no verified certificate"},
		{name: "nothing above it", trust: good, chains: [][]*x509.Certificate{{alice}}, now: summer,
			cause: mtls.Untrusted, err: `certificate 0a1b of "alice" was not issued by a CA whose clients are let in`},
		{name: "issuer no longer accepted", now: summer, chains: [][]*x509.Certificate{chain},
			trust: &mtls.Trust{Issuers: []*x509.Certificate{sister.Cert}, Revocations: list{}},
			cause: mtls.Untrusted, err: `certificate 0a1b of "alice" was not issued by a CA whose clients are let in`},
		{name: "issuer is not the direct one", now: summer,
			chains: [][]*x509.Certificate{{alice, ca.Cert, root.Cert}},
			trust:  &mtls.Trust{Issuers: []*x509.Certificate{root.Cert}, Revocations: list{}},
			cause:  mtls.Untrusted, err: `certificate 0a1b of "alice" was not issued by a CA whose clients are let in`},
		{name: "a CA", trust: &mtls.Trust{Issuers: []*x509.Certificate{root.Cert}, Revocations: list{}}, now: summer,
			chains: [][]*x509.Certificate{{ca.Cert, root.Cert}}, cause: mtls.Untrusted,
			err: `certificate ` + hex(ca.Cert) + ` of "Valley CA" was not issued by a CA whose clients are let in`},
		{name: "one of two certificates of the CA expired", trust: rollover, now: begin.AddDate(0, 9, 0),
			chains: [][]*x509.Certificate{{alice, renewed.Cert}, {alice, ca.Cert}}},
		{name: "the only certificate of the CA expired", now: begin.AddDate(0, 9, 0),
			trust:  &mtls.Trust{Issuers: []*x509.Certificate{renewed.Cert}, Revocations: list{}},
			chains: [][]*x509.Certificate{{alice, renewed.Cert}, {alice, ca.Cert}}, cause: mtls.Expired,
			err: `the CA "Valley CA", which issued certificate 0a1b of "alice", expired at 2026-09-01T12:00:00Z`},
		{name: "revoked, and one of two certificates of the CA expired", now: begin.AddDate(0, 9, 0),
			trust:  &mtls.Trust{Issuers: rollover.Issuers, Revocations: bad.Revocations},
			chains: [][]*x509.Certificate{{alice, ca.Cert}, {alice, renewed.Cert}},
			cause:  mtls.Revoked, err: `certificate 0a1b of "alice" is revoked`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.trust.Judge(test.chains, test.now)
			if got := causeOf(err); got != test.cause {
				t.Errorf("cause %s, want %s", got, test.cause)
			}
			if got := message(err); got != test.err {
				t.Errorf("got error  %q\nwant error %q", got, test.err)
			}
		})
	}
}

func TestNamesInARefusalAreQuoted(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	evil := ca.Client(t, "eve\nlevel=INFO msg=\"all is well\"", testpki.Serial(big.NewInt(7)))
	trust := &mtls.Trust{Issuers: []*x509.Certificate{ca.Cert}, Revocations: revoking(ca, evil)}
	err := trust.Judge([][]*x509.Certificate{{evil.Leaf, ca.Cert}}, time.Now())
	const want = `certificate 07 of "eve\nlevel=INFO msg=\"all is well\"" is revoked`
	if message(err) != want {
		t.Errorf("got  %s\nwant %s", message(err), want)
	}
}

func TestCausesAreWords(t *testing.T) {
	want := map[mtls.Cause]string{mtls.Revoked: "revoked", mtls.Expired: "expired",
		mtls.NotYetValid: "not_yet_valid", mtls.Untrusted: "untrusted", 0: "cause_0"}
	for cause, word := range want {
		if cause.String() != word {
			t.Errorf("got %q, want %q", cause, word)
		}
	}
}

func TestAPeerWhoPassesCostsNoAllocation(t *testing.T) {
	trust, chains := judged(t)
	now := time.Now()
	if n := testing.AllocsPerRun(200, func() {
		if trust.Judge(chains, now) != nil {
			t.Fatal("refused")
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	trust, chains := judged(b)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if trust.Judge(chains, now) != nil {
			b.Fatal("refused")
		}
	}
}

// judged is a trust and the chains of a resumed session that passes, with an older issuer looked at first.
func judged(t testing.TB) (*mtls.Trust, [][]*x509.Certificate) {
	t.Helper()
	s := newSite(t)
	older := s.root.Issuing(t, "Older CA")
	ca, err := x509.ParseCertificate(s.issuing.Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	trust := s.trust(nobody{})
	trust.Issuers = append([]*x509.Certificate{older.Cert}, trust.Issuers...)
	return trust, [][]*x509.Certificate{{s.issuing.Client(t, "alice").Leaf, ca}}
}

// nobody is an empty list that allocates nothing itself.
type nobody struct{}

func (nobody) Revoked(*x509.Certificate, *big.Int) bool { return false }

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
