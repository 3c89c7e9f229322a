package command

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// warn says on standard error what is amiss with the store's revocation list.
func (g *global) warn(standing store.Standing) {
	var broken *store.BrokenListError
	if errors.As(standing.Broken, &broken) {
		g.talk("warning: %v", broken)
		g.talk("hint: %s", hintFor(broken))
	}
	g.warnVanished(standing.Vanished, standing.Trace)
	g.warnWaiting(standing.Unsigned, standing.Dropped)
}

// warnStanding is warn for a command that has not read the list, or has changed it since.
func (g *global) warnStanding(ctx context.Context, s *store.Store) {
	standing, err := s.Standing(ctx)
	if err != nil {
		g.talk("warning: %v", err)
	}
	g.warn(standing)
}

// warnWaiting says what the X.509 list waits for, and since when.
func (g *global) warnWaiting(unsigned, dropped []crl.Entry) {
	if n := len(unsigned); n > 0 {
		g.talk("note: the X.509 list for other servers lacks %s%s: ftsca crl sign, where the authority is", plural(n, "revocation", "revocations"), since(unsigned))
	}
	if n := len(dropped); n > 0 {
		g.talk("note: the X.509 list for other servers still has %s%s: ftsca crl sign, where the authority is",
			plural(n, "revocation that was removed", "revocations that were removed"), since(dropped))
	}
}

// since says when the first of the entries was revoked, or removed, as far as they tell.
func since(entries []crl.Entry) string {
	first := firstOf(entries)
	switch {
	case first.IsZero():
		return ""
	case len(entries) == 1:
		return " since " + stamp(first)
	}
	return ", the first since " + stamp(first)
}

// firstOf returns the earliest date of the entries; the zero time where none has one.
func firstOf(entries []crl.Entry) (first time.Time) {
	for _, e := range entries {
		if !e.Date.IsZero() && (first.IsZero() || e.Date.Before(first)) {
			first = e.Date
		}
	}
	return first
}

// warnOutcome says what else came up while the list was changed.
func (g *global) warnOutcome(outcome store.Outcome) {
	g.warnVanished(outcome.Vanished, outcome.Trace)
	g.warnAnew(outcome)
}

// warnAnew says that the list was made anew, and of what.
func (g *global) warnAnew(outcome store.Outcome) {
	if outcome.Missing {
		g.talk("warning: FTS_CRL.json was missing; it was made anew from the last good one")
	}
	for _, path := range outcome.SetAside {
		g.talk("warning: the revocation list was broken; it is kept as %s, and the last good one was taken up with all that could be read", path)
	}
}

// noteZones says that dates were taken as UTC, since they name no zone.
func (g *global) noteZones(zoneless int, file string) {
	verb := "names no zone, and is"
	if zoneless > 1 {
		verb = "name no zone, and are"
	}
	if zoneless > 0 {
		g.talk("note: %s in %s %s taken as UTC", plural(zoneless, "date", "dates"), file, verb)
	}
}

// noteListed is noteZones for FTS_CRL.json. Where that cannot be read, it has been said.
func (g *global) noteListed(s *store.Store) {
	if list, err := s.List(); err == nil {
		g.noteZones(list.Zoneless(), "FTS_CRL.json")
	}
}

// soon is how long before its end a certificate is worth a warning.
const soon = 30 * day

// warnLapses tells of what lapses soon and would take more with it than one client.
func (g *global) warnLapses(s *store.Store, lists []*crl.X509) {
	for _, lapse := range lapses(s, lists, g.env.Now()) {
		g.talk("warning: %s", lapse)
	}
}

// lapses says of the authorities' certificates, the server's, and the signed revocation lists which lapse soon, or have.
func lapses(s *store.Store, lists []*crl.X509, now time.Time) []string {
	on := ""
	if !s.HasAuthority() {
		on = ", on the authority's machine"
	}
	var all []string
	add := func(what string, cert *x509.Certificate, mend string) {
		verb := "lapses"
		switch {
		case now.After(cert.NotAfter):
			verb = "lapsed"
		case !now.After(cert.NotAfter.Add(-soon)):
			return
		}
		all = append(all, fmt.Sprintf("the certificate of %s %q %s on %s: %s%s", what, cert.Subject.CommonName, verb, stamp(cert.NotAfter), mend, on))
	}
	authorities := s.Published()
	for _, c := range authorities {
		add("the authority", c, "ftsca ca renew")
	}
	if server, err := readCertificates(filepath.Join(s.Endpoint(), serverStem+certificateExt)); err == nil {
		add("the server", server[0], "ftsca renew")
	}
	for _, l := range dueLists(lists, 0, now) {
		mend, verb := "ftsca crl sign"+on, "lapses"
		if len(authorities) > 1 && !bytes.Equal(l.RawIssuer, authorities[0].RawSubject) && isRoot(authorities, l.RawIssuer) {
			mend = "ftsca transfer out, and back from where the root's key is"
		}
		if now.After(l.NextUpdate) {
			verb = "lapsed"
		}
		all = append(all, fmt.Sprintf("the revocation list of %q %s on %s, and servers that load it refuse everyone then: %s",
			commonName(l.RawIssuer), verb, stamp(l.NextUpdate), mend))
	}
	for _, c := range authorities {
		listed := slices.ContainsFunc(lists, func(l *crl.X509) bool { return bytes.Equal(l.RawIssuer, c.RawSubject) })
		if !listed && c.MaxPathLen == 0 && len(lists) > 0 {
			all = append(all, fmt.Sprintf("%q has no revocation list yet, and servers that load the lists refuse its clients: ftsca crl sign%s", c.Subject.CommonName, on))
		}
	}
	return all
}

// isRoot tells whether a name is that of an authority that stands above others.
func isRoot(authorities []*x509.Certificate, name []byte) bool {
	return slices.ContainsFunc(authorities, func(c *x509.Certificate) bool { return c.MaxPathLen != 0 && bytes.Equal(c.RawSubject, name) })
}

// warnPending tells that an authority waits for its root.
func (g *global) warnPending(authorities store.Authorities) {
	switch p := authorities.Pending; {
	case p == nil:
	case authorities.Current == nil:
		g.talk("note: this authority is pending since %s: its root has to sign its request (ftsca transfer, or ftsca csr sign and ftsca init --complete)", stamp(p.Since))
	default:
		g.talk("note: a request to the root is pending since %s (ftsca transfer, or ftsca init --complete)", stamp(p.Since))
	}
}

// warnVanished tells of entries that another hand took out of the list and that stay in force: who revoked them and when,
// by the audit trail, else when by the entry itself.
func (g *global) warnVanished(vanished []crl.Entry, trace map[crl.Serial]store.AuditEntry) {
	if len(vanished) == 0 {
		return
	}
	g.talk("warning: %s taken out of FTS_CRL.json by another hand and %s in force:",
		plural(len(vanished), "revocation was", "revocations were"), stays(len(vanished)))
	for i, e := range vanished {
		if i == 10 {
			g.talk("warning:   and %d more", len(vanished)-i)
			break
		}
		what := e.Serial.String()
		if by, ok := trace[e.Serial]; ok {
			if by.Name != "" {
				what = fmt.Sprintf("%s (serial %s)", by.Name, e.Serial)
			}
			g.talk("warning:   %s, revoked by %s at %s, %s", what, by.By, stamp(by.Time), e.Reason)
			continue
		}
		if !e.Date.IsZero() {
			what += ", revoked at " + stamp(e.Date)
		}
		g.talk("warning:   %s, %s", what, e.Reason)
	}
	g.talk("hint: ftsca crl restore puts them back into the file; ftsca crl remove confirms that they are to go")
}

func stays(n int) string {
	if n == 1 {
		return "stays"
	}
	return "stay"
}
