package transfer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// Delivery is what an answer brings, checked against what the store that asked knows already.
type Delivery struct {
	Refused     []Item // what the signer said no to, with the reasons
	Authority   []byte // the root's answer to a pending authority's request, in PEM; nil where there is none
	Authorities []*x509.Certificate
	Strangers   []*x509.Certificate // of Authorities, self-signed ones that the store has not known: a person has to confirm them
	Lists       []store.SignedList
	Update      store.Update // what an endpoint takes in
}

// Open holds an answer against the request that the store remembers, and checks each item by itself: that certificates
// are for keys that were asked for, that lists are signed by the authorities and are not older than those in force.
func Open(ctx context.Context, s *store.Store, answer Manifest, contents [][]byte) (*Delivery, error) {
	request, err := Remembered(s)
	if err != nil {
		return nil, err
	}
	if err := CheckAnswer(request, answer); err != nil {
		return nil, err
	}
	kinds := map[string]string{}
	for _, it := range request.Items {
		kinds[it.File] = it.Kind
	}
	known, err := knownAuthorities(ctx, s)
	if err != nil {
		return nil, err
	}
	d := &Delivery{}
	for i, it := range answer.Items {
		if it.Refused != "" {
			d.Refused = append(d.Refused, it)
			continue
		}
		if err := d.open(s, kinds[it.Answers], it.Kind, contents[i], known); err != nil {
			return nil, fmt.Errorf("item %d, %s: %w", i+1, it.Kind, err)
		}
	}
	if err := d.checkAuthorities(known); err != nil {
		return nil, err
	}
	return d, d.checkLists(s, answer, contents, known)
}

// knownAuthorities are those that the store believes already, and for an authority its roots.
func knownAuthorities(ctx context.Context, s *store.Store) ([]*x509.Certificate, error) {
	if !s.HasAuthority() {
		return endpointAuthorities(s)
	}
	a, err := s.Authorities(ctx)
	return a.Roots, err
}

func (d *Delivery) open(s *store.Store, asked, kind string, content []byte, known []*x509.Certificate) (err error) {
	fits := map[string][]string{
		AuthorityCertificate: {AuthorityRequest}, Certificate: {CertificateRequest}, Revoked: {Revocations, News},
		Authorities: {News}, Lists: {News}, Issued: {News},
	}[kind]
	if !contains(fits, asked) {
		return fmt.Errorf("it does not answer an item of the kind %q", asked)
	}
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
	case Certificate:
		var server store.ServerCertificate
		if server, err = matchRequest(s, content); err == nil {
			d.Update.Servers = append(d.Update.Servers, server)
		}
	}
	return err
}

// matchRequest finds the endpoint's request that a certificate answers.
func matchRequest(s *store.Store, content []byte) (store.ServerCertificate, error) {
	certs, err := decodeCertificates(content)
	if err != nil {
		return store.ServerCertificate{}, err
	}
	waiting, err := endpointRequests(s)
	if err != nil {
		return store.ServerCertificate{}, err
	}
	for _, r := range waiting {
		if key, ok := r.Asked.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && key.Equal(certs[0].PublicKey) {
			return store.ServerCertificate{Stem: r.name, Chain: certs}, nil
		}
	}
	return store.ServerCertificate{}, fmt.Errorf("it is for a key that no waiting request of this endpoint has (%q)", certs[0].Subject.CommonName)
}

// checkAuthorities sees to it that there is a way from what is known to each authority: the same key, or a signature by
// one that is. Those without are strangers.
func (d *Delivery) checkAuthorities(known []*x509.Certificate) error {
	continuous := len(known) == 0 || len(d.Authorities) == 0
	for _, c := range d.Authorities {
		if !c.BasicConstraintsValid || !c.IsCA {
			return fmt.Errorf("the certificate of %q is no authority's", c.Subject.CommonName)
		}
		switch {
		case sameKey(known, c):
			continuous = true
		case bytes.Equal(c.RawIssuer, c.RawSubject):
			d.Strangers = append(d.Strangers, c)
		case !signedBy(append(known[:len(known):len(known)], d.Authorities...), c):
			return fmt.Errorf("nobody here has signed the certificate of the authority %q", c.Subject.CommonName)
		}
	}
	if !continuous {
		return errors.New("none of the authorities in the answer is one that this store knows: it comes from elsewhere")
	}
	return nil
}

func sameKey(among []*x509.Certificate, cert *x509.Certificate) bool {
	for _, c := range among {
		if bytes.Equal(c.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) {
			return true
		}
	}
	return false
}

func signedBy(among []*x509.Certificate, cert *x509.Certificate) bool {
	for _, c := range among {
		if !c.Equal(cert) && cert.CheckSignatureFrom(c) == nil {
			return true
		}
	}
	return false
}

// checkLists takes the X.509 lists, each from an authority of the answer or one known, and none older than that in force.
func (d *Delivery) checkLists(s *store.Store, answer Manifest, contents [][]byte, known []*x509.Certificate) error {
	signers := append(known[:len(known):len(known)], d.Authorities...)
	for _, server := range d.Update.Servers {
		if !signedBy(signers, server.Chain[0]) {
			return fmt.Errorf("the certificate of %q is not signed by an authority of this endpoint", server.Chain[0].Subject.CommonName)
		}
	}
	for i, it := range answer.Items {
		if it.Kind != Lists || it.Refused != "" {
			continue
		}
		for block, rest := pem.Decode(contents[i]); block != nil; block, rest = pem.Decode(rest) {
			list, err := crl.ParseX509(block.Bytes)
			if err != nil {
				return fmt.Errorf("item %d, a revocation list: %w", i+1, err)
			}
			var by *x509.Certificate
			for _, c := range signers {
				if list.CheckSignature(c) == nil {
					by = c
				}
			}
			if by == nil {
				return fmt.Errorf("item %d: a revocation list that none of the authorities has signed", i+1)
			}
			if have := s.ListNumber(by); have != nil && list.Number != nil && list.Number.Cmp(have) < 0 {
				return fmt.Errorf("item %d: the revocation list of %q has the number %s, and the one in force is newer (%s)", i+1, by.Subject.CommonName, list.Number, have)
			}
			d.Lists = append(d.Lists, store.SignedList{Authority: by, PEM: pem.EncodeToMemory(block)})
		}
	}
	d.Update.Authorities = d.Authorities
	for _, l := range d.Lists {
		d.Update.Lists = append(d.Update.Lists, l.PEM...)
	}
	return nil
}

func contains(kinds []string, kind string) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}
