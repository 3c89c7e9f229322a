package transfer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// Delivery is what an answer brings, checked against what the store that asked knows already.
type Delivery struct {
	Refused     []Item // what the signer said no to, with the reasons
	Authority   []byte // the root's answer to a pending authority's request, in PEM; nil where there is none
	Authorities []*x509.Certificate
	Lists       []store.SignedList
	Update      store.Update // what an endpoint takes in

	// Strangers are authorities, in whatever item, to which no signature leads from one that the store knows, and
	// Condemned those of the store that the answer revokes: nothing in the answer can prove that it is right in that, so
	// a person has to compare the words.
	Strangers, Condemned []*x509.Certificate
}

// IsGrave tells whether the answer would have the store believe a stranger, or no longer believe one of its own.
func (d *Delivery) IsGrave() bool { return len(d.Strangers)+len(d.Condemned) > 0 }

// Open holds an answer against the request that the store remembers, and checks each item by itself: that certificates
// are for the keys that were asked for, that authorities have signed them, that lists are signed by the authorities and
// are not older than those in force. It may be called again for an answer that was taken in.
func Open(ctx context.Context, s *store.Store, answer Manifest, contents [][]byte) (*Delivery, error) {
	request, err := Remembered(s)
	if err != nil {
		return nil, err
	}
	if err := CheckAnswer(request, answer); err != nil {
		return nil, err
	}
	asked := map[string]Item{}
	for _, it := range request.Items {
		asked[it.File] = it
	}
	t := taking{store: s, delivery: &Delivery{}}
	if t.known, t.own, t.pending, err = knownAuthorities(ctx, s); err != nil {
		return nil, err
	}
	for i, it := range answer.Items {
		if it.Refused != "" {
			t.delivery.Refused = append(t.delivery.Refused, it)
			continue
		}
		if err := t.take(asked[it.Answers], it.Kind, contents[i]); err != nil {
			return nil, fmt.Errorf("item %d, %s: %w", i+1, it.Kind, err)
		}
	}
	for _, check := range []func() error{t.checkAuthorities, t.checkServers, t.checkLists, func() error { return t.condemn(ctx) }} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	t.delivery.Update.Authorities = t.delivery.Authorities
	return t.delivery, nil
}

// taking is an answer that is being checked.
type taking struct {
	store    *store.Store
	known    []*x509.Certificate // whom the store believes: an endpoint its authorities, an authority its roots
	own      []*x509.Certificate // whom it would be left without if they were revoked
	pending  *store.Pending
	delivery *Delivery
	lists    []byte // in PEM
}

func knownAuthorities(ctx context.Context, s *store.Store) (known, own []*x509.Certificate, pending *store.Pending, err error) {
	if !s.HasAuthority() {
		known, err = endpointAuthorities(s)
		return known, known, nil, err
	}
	a, err := s.Authorities(ctx)
	return a.Roots, a.All(), a.Pending, err
}

// take sorts one item.
func (t *taking) take(asked Item, kind string, content []byte) (err error) {
	fits := map[string][]string{
		AuthorityCertificate: {AuthorityRequest}, Certificate: {CertificateRequest}, Revoked: {Revocations, News},
		Authorities: {News}, Lists: {News}, Issued: {News},
	}[kind]
	if !slices.Contains(fits, asked.Kind) {
		return fmt.Errorf("it does not answer an item of the kind %q", asked.Kind)
	}
	d := t.delivery
	switch kind {
	case AuthorityCertificate:
		d.Authority = content
	case Authorities:
		d.Authorities, err = decodeCertificates(content)
	case Revoked:
		var list *crl.List
		if list, err = crl.Parse(content); err == nil {
			d.Update.Revoked = crl.Union(d.Update.Revoked, list.Entries())
		}
	case Issued:
		d.Update.Issued = content
	case Lists:
		t.lists = content
	case Certificate:
		var server store.ServerCertificate
		if server, err = matchRequest(t.store, asked, content); err == nil {
			d.Update.Servers = append(d.Update.Servers, server)
		}
	}
	return err
}

// matchRequest holds a certificate against the very request that it is to answer, which lies in the endpoint room: also
// one that has its certificate already, since an answer may be taken in again.
func matchRequest(s *store.Store, asked Item, content []byte) (store.ServerCertificate, error) {
	certs, err := decodeCertificates(content)
	if err != nil {
		return store.ServerCertificate{}, err
	}
	requests, err := endpointRequests(s)
	if err != nil {
		return store.ServerCertificate{}, err
	}
	for _, r := range requests {
		if sum(r.text) != asked.SHA256 {
			continue
		}
		key, ok := r.Asked.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		switch {
		case !ok || !key.Equal(certs[0].PublicKey):
			return store.ServerCertificate{}, fmt.Errorf("the certificate of %q is not for the key of the request %s.csr", certs[0].Subject.CommonName, r.name)
		case certs[0].IsCA:
			return store.ServerCertificate{}, fmt.Errorf("the certificate of %q is an authority's, and %s.csr does not ask for that", certs[0].Subject.CommonName, r.name)
		}
		return store.ServerCertificate{Stem: r.name, Chain: certs}, nil
	}
	return store.ServerCertificate{}, fmt.Errorf("the request that the certificate of %q answers is no longer in %s", certs[0].Subject.CommonName, s.Endpoint())
}

// checkAuthorities follows the signatures from what is known to each authority; whom they do not reach are strangers. A
// certificate for a known key vouches for nothing: anybody can make one, and only its signature tells.
func (t *taking) checkAuthorities() error {
	d := t.delivery
	candidates := slices.Concat(d.Authorities, t.above())
	for _, c := range candidates {
		if !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
			return fmt.Errorf("the certificate of %q is no authority's", c.Subject.CommonName)
		}
	}
	trusted := reached(t.known, candidates)
	var tops []*x509.Certificate
	for _, c := range candidates {
		if contains(trusted, c) {
			continue
		}
		if !contains(d.Strangers, c) {
			d.Strangers = append(d.Strangers, c)
		}
		if isSigned(c, c) {
			tops = append(tops, c)
		}
	}
	vouched := reached(slices.Concat(trusted, tops), candidates)
	for _, c := range candidates {
		if !contains(vouched, c) {
			return fmt.Errorf("nobody here has signed the certificate of the authority %q", c.Subject.CommonName)
		}
	}
	// With a root alone in its ca.pem, an endpoint would let nobody in.
	if !t.store.HasAuthority() && len(d.Authorities) > 0 && d.Authorities[0].MaxPathLen > 0 {
		return fmt.Errorf("it comes from the root %q, and an endpoint asks the authority that issues to its clients", d.Authorities[0].Subject.CommonName)
	}
	continuous := slices.ContainsFunc(d.Authorities, func(c *x509.Certificate) bool { return contains(trusted, c) })
	if !continuous && len(t.known) > 0 && len(d.Authorities) > 0 {
		return errors.New("none of the authorities in the answer is one that this store knows: it comes from elsewhere")
	}
	return nil
}

// above returns the authorities in the answer to a pending authority: all but its own certificate.
func (t *taking) above() (above []*x509.Certificate) {
	for block, rest := pem.Decode(t.delivery.Authority); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if block.Type == "CERTIFICATE" && err == nil && (t.pending == nil || !t.pending.IsAnsweredBy(cert)) && !contains(t.own, cert) {
			above = append(above, cert)
		}
	}
	return above
}

// reached returns from, and every candidate that one of them has signed, and one that such a one has signed.
func reached(from, candidates []*x509.Certificate) []*x509.Certificate {
	all := slices.Clone(from)
	for grown := true; grown; {
		grown = false
		for _, c := range candidates {
			if !contains(all, c) && slices.ContainsFunc(all, func(by *x509.Certificate) bool { return isSigned(c, by) }) {
				all, grown = append(all, c), true
			}
		}
	}
	return all
}

// isSigned tells whether an authority has signed a certificate, in its own name.
func isSigned(cert, authority *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, authority.RawSubject) && cert.CheckSignatureFrom(authority) == nil
}

func contains(certs []*x509.Certificate, cert *x509.Certificate) bool {
	return slices.ContainsFunc(certs, cert.Equal)
}

// signers are the authorities that the endpoint will have.
func (t *taking) signers() []*x509.Certificate { return slices.Concat(t.known, t.delivery.Authorities) }

func (t *taking) checkServers() error {
	for _, server := range t.delivery.Update.Servers {
		cert := server.Chain[0]
		if !slices.ContainsFunc(t.signers(), func(by *x509.Certificate) bool { return isSigned(cert, by) }) {
			return fmt.Errorf("the certificate of %q is not signed by an authority of this endpoint", cert.Subject.CommonName)
		}
		for _, above := range server.Chain[1:] {
			if !contains(t.signers(), above) {
				return fmt.Errorf("the certificate of %q comes with that of %q, which is no authority of this endpoint", cert.Subject.CommonName, above.Subject.CommonName)
			}
		}
	}
	return nil
}

// checkLists takes the X.509 lists, each from an authority of the answer or one known, and none older than that in force.
func (t *taking) checkLists() error {
	d := t.delivery
	rest := t.lists
	for len(bytes.TrimSpace(rest)) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "X509 CRL" {
			return errors.New("the revocation lists: they are not a file of revocation lists alone")
		}
		list, err := crl.ParseX509(block.Bytes)
		if err != nil {
			return fmt.Errorf("the revocation lists: %w", err)
		}
		by := slices.IndexFunc(t.signers(), func(c *x509.Certificate) bool { return list.CheckSignature(c) == nil })
		if by < 0 {
			return errors.New("the revocation lists: there is one that none of the authorities has signed")
		}
		authority, number := t.signers()[by], list.Number
		if number == nil {
			number = new(big.Int)
		}
		if have := t.store.ListNumber(authority); have != nil && number.Cmp(have) < 0 {
			return fmt.Errorf("the revocation list of %q has the number %s, and the one in force is newer (%s)", authority.Subject.CommonName, number, have)
		}
		signed := store.SignedList{Authority: authority, PEM: crl.EncodePEM(block.Bytes)}
		d.Lists = append(d.Lists, signed)
		d.Update.Lists = append(d.Update.Lists, signed.PEM...)
	}
	return nil
}

// condemn finds the authorities of the store that the answer revokes and that were not revoked before.
func (t *taking) condemn(ctx context.Context) error {
	standing, err := t.store.Standing(ctx)
	if err != nil {
		return err
	}
	d := t.delivery
	before, after := slices.Clone(standing.InForce), slices.Clone(d.Update.Revoked)
	for _, c := range t.signers() {
		for _, list := range standing.Signed {
			before = append(before, entriesBy(c, list)...)
		}
		for _, l := range d.Lists {
			if list, err := crl.ParseX509(l.PEM); err == nil {
				after = append(after, entriesBy(c, list)...)
			}
		}
	}
	was, is := crl.NewChecker(before), crl.NewChecker(after)
	everybody := slices.Concat(t.own, t.signers())
	for _, c := range everybody {
		for _, issuer := range everybody {
			if isSigned(c, issuer) && is.Revoked(issuer, c.SerialNumber) && !was.Revoked(issuer, c.SerialNumber) && !contains(d.Condemned, c) {
				d.Condemned = append(d.Condemned, c)
			}
		}
	}
	return nil
}

// entriesBy returns the entries of a list if the authority has signed it, as speaking for it alone.
func entriesBy(authority *x509.Certificate, list *crl.X509) []crl.Entry {
	if list.CheckSignature(authority) != nil {
		return nil
	}
	var entries []crl.Entry
	for e := range list.All() {
		e.Issuer = crl.KeyID(authority)
		entries = append(entries, e)
	}
	return entries
}
