package check

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/ftsca/ftsca/pkcs12"
)

// maxAnchors bounds the signatures that are verified, which grow with its square.
const maxAnchors = 50

// trustStore judges the file that tells the device which servers to believe.
func (d *device) trustStore(r reference, c *Connection) (where, text string) {
	f := d.find(r.where, r.key, r.location)
	if f == nil {
		return "", ""
	}
	b := d.unlock(r, f)
	if b == nil {
		return "", ""
	}
	anchors := b.anchors
	if b.hasKey {
		anchors = d.keyInside(f, b)
	}
	set := distinct(anchors)
	if len(set) == 0 {
		if !b.hasKey || b.identityErr == nil {
			d.say(all(Refusal), "trust-empty", f.where, "it holds no certificate of an authority beside that of its "+
				"key: ATAK takes that of the key away and has none left")
		}
		return "", ""
	}
	c.Authorities = set
	if len(set) > maxAnchors {
		d.say(all(Warning), "trust-many", f.where, "it holds %d certificates: more than %d are not judged", len(set),
			maxAnchors)
		return "", ""
	}
	if !b.hasKey {
		d.judgeNames(f, anchors)
	}
	for _, a := range set {
		d.judgeAnchor(f, a)
	}
	if lost := b.incomplete(set); lost != nil {
		d.say(levels{Refusal, Warning, Warning, Warning}, "trust-incomplete", f.where, "it does not lead from %s to "+
			"a root: its issuer %q is missing, and ATAK takes no authority from the server itself",
			pkcs12.Describe(lost), lost.Issuer)
	}
	return f.where, fmt.Sprintf("the trust store is read: %d certificates, up to the root; %s", len(set), b.form)
}

// keyInside judges a trust store that holds a private key, and returns what ATAK leaves of it.
func (d *device) keyInside(f *stored, b *bundle) []pkcs12.Anchor {
	if b.identityErr != nil {
		d.say(all(Refusal), "trust-key", f.where, "the trust store holds private keys (%v), which anybody with the "+
			"package can use: give certificates alone", b.identityErr)
		return nil
	}
	own := b.identity.Certificate
	whose := "a client"
	switch {
	case isAuthority(own):
		whose = "an authority, who can issue certificates for everybody"
	case isServer(own) || len(own.ExtKeyUsage) == 0 && len(own.UnknownExtKeyUsage) == 0:
		whose = "a server, as in the packages of FreeTAKServer"
	}
	d.say(all(Refusal), "trust-key", f.where, "the trust store holds the private key of %s, which is that of %s: "+
		"whoever has the package can pass for it; give certificates alone", pkcs12.Describe(own), whose)
	var anchors []pkcs12.Anchor
	for _, c := range append(b.identity.Chain, b.identity.Others...) {
		anchors = append(anchors, pkcs12.Anchor{Certificate: c})
	}
	return anchors
}

func distinct(anchors []pkcs12.Anchor) []*x509.Certificate {
	seen := map[string]bool{}
	var set []*x509.Certificate
	for _, a := range anchors {
		if !seen[string(a.Certificate.Raw)] {
			seen[string(a.Certificate.Raw)] = true
			set = append(set, a.Certificate)
		}
	}
	return set
}

// judgeNames judges the friendly names, by which Android, Java and others list what is in a file.
func (d *device) judgeNames(f *stored, anchors []pkcs12.Anchor) {
	seen := map[string]bool{}
	java := true
	for _, a := range anchors {
		java = java && a.Java
		name := strings.ToLower(a.Name)
		switch {
		case name == "":
			d.say(levels{Warning, "", "", ""}, "trust-name", f.where, "%s has no friendly name in it: Android's own "+
				"reader does not list it, and ATAK warns at each start that the trust store is not in order",
				pkcs12.Describe(a.Certificate))
		case seen[name]:
			d.say(levels{Warning, "", "", ""}, "trust-name-twice", f.where, "two certificates in it have the "+
				"friendly name %.100q, of which Android and Java list one", a.Name)
		}
		seen[name] = true
	}
	if !java {
		d.say(levels{OK, "", "", ""}, "trust-java", f.where, "it lacks Java's mark of trust (trustedKeyUsage): "+
			"keytool and Java servers see an empty store, devices do not mind")
	}
}

func (d *device) judgeAnchor(f *stored, a *x509.Certificate) {
	name := pkcs12.Describe(a)
	switch {
	case a.Version < 3 && selfIssued(a):
		d.say(all(Warning), "trust-version", f.where, "%s is a certificate of version %d, which does not say that it "+
			"is an authority's: iOS and others do not take it for one", name, a.Version)
	case !isAuthority(a):
		d.say(all(Warning), "trust-leaf", f.where, "%s is no certificate of an authority: as taky does, the server's "+
			"own was put in, which has to be replaced with each renewal", name)
	}
	d.judgeDates(f.where, "trust", a)
	d.judgeStrength(f.where, a)
}

// incomplete is the function of that name, asked once for all families and connections.
func (b *bundle) incomplete(set []*x509.Certificate) *x509.Certificate {
	if !b.judged {
		b.lost, b.judged = incomplete(set), true
	}
	return b.lost
}

// incomplete returns a certificate that does not lead to a self-signed one of the set; nil where each does.
func incomplete(set []*x509.Certificate) *x509.Certificate {
	var reached, waiting []*x509.Certificate
	for _, c := range set {
		if selfSigned(c) {
			reached = append(reached, c)
		} else {
			waiting = append(waiting, c)
		}
	}
	// From the roots downwards, so that two that signed each other hold nobody.
	for i := 0; i < len(reached); i++ {
		var rest []*x509.Certificate
		for _, c := range waiting {
			if signedBy(c, reached[i]) {
				reached = append(reached, c)
			} else {
				rest = append(rest, c)
			}
		}
		waiting = rest
	}
	if len(waiting) == 0 {
		return nil
	}
	return highest(waiting)
}

// highest returns the one of those without a root whose issuer is none of them, for that is what is missing.
func highest(waiting []*x509.Certificate) *x509.Certificate {
	subjects := map[string]bool{}
	for _, c := range waiting {
		subjects[string(c.RawSubject)] = true
	}
	for _, c := range waiting {
		if !subjects[string(c.RawIssuer)] {
			return c
		}
	}
	return waiting[0]
}
