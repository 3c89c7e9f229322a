package reload_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// removedOf is what ftsca crl remove leaves, at a time.
func removedOf(at time.Time, certs ...*x509.Certificate) []byte {
	l := crl.NewList()
	for _, e := range entries(certs...) {
		e.Date = at
		l.Add(e)
	}
	return l.Bytes()
}

func TestEntryThatWasRemovedIsLetGo(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		f.write("FTS_CRL.json", jsonOf(f.alice, f.bob))
		f.write(".FTS_CRL.last", jsonOf(f.alice, f.bob))
		f.write("FTS_CRL.pem", signedBy(t, f.issuing, nextYear, f.alice, f.bob))
		f.write("ca.pem", append(testpki.CertPEM(f.issuing.Cert, f.root.Cert), signedBy(t, f.issuing, nextYear, f.alice, f.bob)...))
		w := follow(f, events)
		// Gone from the list alone, it stays in force; so it does while the last good copy has it.
		w.replace("FTS_CRL.json", jsonOf(w.alice))
		w.until("vanished", func() bool { return len(w.report.Vanished) == 1 })
		w.replace(".FTS_CRL.removed", removedOf(time.Now(), w.bob))
		w.trigger <- struct{}{}
		w.until("told", func() bool { return w.trusts > 1 })
		w.untilRevoked(w.alice, w.bob)
		w.replace(".FTS_CRL.last", jsonOf(w.alice))
		w.untilRevoked(w.alice)
		w.until("none vanished", func() bool { return len(w.report.Vanished) == 0 })
		// A restart says the same, though the signed lists have it still.
		trust, report := w.load()
		w.mustJudge(trust, w.alice)
		mustWarn(t, report)
		// Revoked again, it is revoked, however that is said.
		w.replace("FTS_CRL.json", jsonOf(w.alice, w.bob))
		w.untilRevoked(w.alice, w.bob)
	})
}

func TestRemovalCoversNothingRevokedSince(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.pem", signedBy(t, f.issuing, nextYear, f.alice, f.bob)) // yesterday
	f.write(".FTS_CRL.removed", removedOf(yesterday.Add(-time.Hour), f.alice))
	trust, _ := f.load()
	f.mustJudge(trust, f.alice, f.bob)
	f.write(".FTS_CRL.removed", removedOf(yesterday, f.alice))
	trust, _ = f.load()
	f.mustJudge(trust, f.bob)
	// Nor does it go before what the last good copy or the list itself say.
	for _, name := range []string{"FTS_CRL.json", ".FTS_CRL.last"} {
		f.write(name, jsonOf(f.alice))
		trust, _ = f.load()
		f.mustJudge(trust, f.alice, f.bob)
		f.write(name, jsonOf())
	}
}

func TestRemovalForEveryIssuerLeavesAnEntryOfOne(t *testing.T) {
	f := newFolder(t)
	every, one := entries(f.bob)[0], entries(f.bob)[0]
	one.Issuer = crl.KeyID(f.issuing.Cert)
	write := func(name string, entries ...crl.Entry) {
		l := crl.NewList()
		for _, e := range entries {
			l.Add(e)
		}
		f.replace(name, l.Bytes())
	}
	write("FTS_CRL.json", every)
	write(".FTS_CRL.last", one, every)
	w := follow(f, true)
	w.untilRevoked(w.bob)
	write("FTS_CRL.json")
	w.until("vanished", func() bool { return len(w.report.Vanished) > 0 })
	write(".FTS_CRL.last", one)
	write(".FTS_CRL.removed", crl.Entry{Serial: every.Serial, Date: time.Now()})
	w.until("the other entry", func() bool {
		return len(w.report.Entries) == 1 && w.report.Entries[0].Issuer == one.Issuer
	})
	w.untilRevoked(w.bob)
}

func TestDamagedRemovalsReleaseNobody(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.pem", signedBy(t, f.issuing, nextYear, f.bob))
	whole := removedOf(time.Now(), f.bob)
	f.write(".FTS_CRL.removed", whole[:len(whole)-3])
	trust, report := f.load()
	f.mustJudge(trust, f.bob)
	mustWarn(t, report, f.path(".FTS_CRL.removed")+" is damaged, and what was removed from the revocation list may stay in force: "+
		"line 8, column 4: the list breaks off")
}
