package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

// Authority issues certificates and signs revocation lists with one key. Its methods may be called from several
// goroutines.
type Authority struct {
	cert   *x509.Certificate
	above  []*x509.Certificate
	key    crypto.Signer
	ledger Ledger
	clock  Clock
}

// Config is what an authority is made of. All fields but Above are required; one that only signs revocation lists
// needs no Ledger.
type Config struct {
	Certificate *x509.Certificate
	Above       []*x509.Certificate // the authorities above it, up to the root; none where it is its own root
	Key         crypto.Signer
	Ledger      Ledger
	Clock       Clock
}

// New checks that the certificate is an authority's, may sign certificates and lists, and belongs to the key, which it
// tries; the error says what does not fit.
func New(c Config) (*Authority, error) {
	cert := c.Certificate
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return nil, fmt.Errorf("the certificate of %q is not an authority's", cert.Subject.CommonName)
	case cert.KeyUsage&x509.KeyUsageCertSign == 0 || cert.KeyUsage&x509.KeyUsageCRLSign == 0:
		return nil, fmt.Errorf("the certificate of %q may not sign both certificates and revocation lists", cert.Subject.CommonName)
	}
	if err := keyfile.Match(c.Key, cert); err != nil {
		return nil, fmt.Errorf("the authority %q: %w", cert.Subject.CommonName, err)
	}
	return &Authority{cert: cert, above: c.Above, key: c.Key, ledger: c.Ledger, clock: c.Clock}, nil
}

// Certificate returns the authority's own certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Chain returns the authority's certificate and those above it, the root last.
func (a *Authority) Chain() []*x509.Certificate {
	return append([]*x509.Certificate{a.cert}, a.above...)
}

// Order asks for a certificate.
type Order struct {
	Purpose       Purpose
	Request       csr.Request
	Days          int       // validity from now; zero means 730
	AllowLong     bool      // a server's may exceed 825 days in all, which Apple's systems refuse
	AlsoClient    bool      // a server's may also act as a client: for federation
	Channels      bool      // a client's carries the mark by which a TAK Server lets it choose channels
	Hosts         []string  // recorded for a client: the servers that its package connects to
	Families      []string  // recorded for a client: the clients that its packages are for
	Contact       string    // recorded: whom to turn to about the certificate
	Mark          string    // recorded: by what a roster knows its row again
	NewGeneration bool      // the name may be in use
	RetireEarlier time.Time // recorded: when the name's earlier certificates are to be revoked; zero means never

	// Pack makes the files that go with the certificate; nil means none. An error stops the issuing, and nothing is left.
	Pack func(Entry) ([]Product, error)
}

// Issue signs a certificate for an order: it reserves the name and generation, signs, packs, commits all to the ledger,
// and only then returns. The errors are *[NameInUseError], *[ClockError], *[LongValidityError], [ErrExpired], or say
// what in the order cannot stand; nothing is left behind then.
func (a *Authority) Issue(ctx context.Context, o Order) (Entry, error) {
	entries, err := a.IssueAll(ctx, []Order{o})
	if err != nil {
		return Entry{}, err
	}
	return entries[0], nil
}

// IssueAll is [Authority.Issue] for several orders in one act: all their certificates are committed together, or none.
func (a *Authority) IssueAll(ctx context.Context, orders []Order) ([]Entry, error) {
	drafts, claims := make([]draft, len(orders)), make([]Claim, len(orders))
	for i, o := range orders {
		var err error
		if drafts[i], err = a.draft(o); err != nil {
			return nil, err
		}
		claims[i] = Claim{Name: o.Request.Subject.CommonName, NewGeneration: o.NewGeneration}
	}
	reservations, err := a.ledger.Reserve(ctx, claims)
	if err != nil {
		return nil, err
	}
	entries, err := a.issue(ctx, orders, drafts, reservations)
	if err != nil {
		// The caller may have been cancelled; the names must be given back all the same.
		return nil, errors.Join(err, a.ledger.Release(context.WithoutCancel(ctx), reservations))
	}
	return entries, nil
}

func (a *Authority) issue(ctx context.Context, orders []Order, drafts []draft, reservations []Reservation) ([]Entry, error) {
	entries, deliveries := make([]Entry, len(orders)), make([]Delivery, len(orders))
	for i, o := range orders {
		r := reservations[i]
		remark, err := a.clock.Check(r.Latest)
		if err != nil {
			return nil, err
		}
		entry := Entry{Name: r.Name, Generation: r.Generation, Purpose: o.Purpose, Groups: o.Request.Subject.Groups, Hosts: o.Hosts,
			Families: o.Families, Contact: o.Contact, Mark: o.Mark, RetireEarlier: o.RetireEarlier, IssuedAt: a.clock.Now(), Cut: drafts[i].cut, Remark: remark}
		if entry.Certificate, err = sign(drafts[i].profile, drafts[i].template, a.cert, a.key); err != nil {
			return nil, err
		}
		d := Delivery{Reservation: r, Entry: entry}
		if o.Pack != nil {
			if d.Products, err = o.Pack(entry); err != nil {
				return nil, err
			}
		}
		entries[i], deliveries[i] = entry, d
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return entries, a.ledger.Commit(ctx, deliveries)
}

// Preview returns the certificate as [Authority.Issue] would sign it and tells whether its end is cut to the
// authority's own. It needs no key; nothing is reserved or signed, and the serial of the preview is nobody's.
func Preview(authority *x509.Certificate, now time.Time, o Order) (cert *x509.Certificate, cut bool, err error) {
	a := Authority{cert: authority, clock: Clock{Now: func() time.Time { return now }}}
	d, err := a.draft(o)
	return d.template, d.cut, err
}

// draft is a certificate before it is signed.
type draft struct {
	profile  profile
	template *x509.Certificate
	cut      bool // its end is the authority's, and not as late as ordered
}

// draft builds the certificate field by field; of the request only the key and the vetted names go in.
func (a *Authority) draft(o Order) (draft, error) {
	p, err := profileOf(o.Purpose)
	if err != nil {
		return draft{}, err
	}
	request := o.Request
	subject, err := request.Subject.DER()
	if err != nil {
		return draft{}, err
	}
	switch {
	case request.PublicKey == nil:
		return draft{}, errors.New("the request has no public key")
	case samePublic(request.PublicKey, a.cert.PublicKey):
		return draft{}, errors.New("the request asks for the authority's own key to be certified")
	case p.needsHost && len(request.DNSNames)+len(request.Addresses) == 0:
		return draft{}, errors.New("a server's certificate needs at least one DNS name or address that devices connect to")
	case p.authority && p.pathLength >= room(a.cert):
		return draft{}, fmt.Errorf("%q may have no authority below it: its path length does not allow one", a.cert.Subject.CommonName)
	case p.authority && bytes.Equal(subject, a.cert.RawSubject):
		return draft{}, fmt.Errorf("an authority below %q needs a name of its own", a.cert.Subject.CommonName)
	case p.authority && len(request.Subject.Groups) > 0:
		return draft{}, errors.New("an authority is in no group")
	case !p.hosts && len(request.DNSNames)+len(request.Addresses) > 0:
		return draft{}, fmt.Errorf("a %s certificate has no DNS names or addresses", p.purpose)
	case o.AlsoClient && o.Purpose != Server:
		return draft{}, errors.New("only a server's certificate can also be a client's")
	case o.Channels && o.Purpose != Client:
		return draft{}, errors.New("only a client's certificate carries the mark for channels")
	}
	days, err := p.validDays(o.Days, o.AllowLong)
	if err != nil {
		return draft{}, err
	}
	now := a.clock.Now().UTC().Truncate(time.Second)
	if now.After(a.cert.NotAfter) {
		return draft{}, fmt.Errorf("%w on %s", ErrExpired, a.cert.NotAfter.UTC().Format(time.RFC3339))
	}
	if now.Before(a.cert.NotBefore) {
		return draft{}, &ClockError{Now: now, After: a.cert.NotBefore, What: "the authority's certificate is valid only from"}
	}
	template := &x509.Certificate{
		PublicKey:             request.PublicKey,
		KeyUsage:              p.keyUsage,
		ExtKeyUsage:           p.extended,
		RawSubject:            subject,
		BasicConstraintsValid: true,
		IsCA:                  p.authority,
		MaxPathLen:            p.pathLength,
		MaxPathLenZero:        p.authority && p.pathLength == 0,
		DNSNames:              request.DNSNames,
		IPAddresses:           addresses(request),
		AuthorityKeyId:        a.cert.SubjectKeyId,
	}
	if isRSA(request.PublicKey) {
		template.KeyUsage |= p.rsaKeyUsage
	}
	if o.AlsoClient {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if o.Channels {
		template.UnknownExtKeyUsage = append(template.UnknownExtKeyUsage, channelsUsage)
	}
	d := draft{profile: p, template: template}
	template.NotBefore, template.NotAfter, d.cut = cut(now.Add(-setBack), now.Add(time.Duration(days)*day), a.cert)
	if template.SerialNumber, err = serial(); err != nil {
		return draft{}, err
	}
	template.SubjectKeyId, err = keyID(request.PublicKey)
	return d, err
}

// addresses returns a request's addresses as crypto/x509 has them.
func addresses(r csr.Request) []net.IP {
	var ips []net.IP
	for _, a := range r.Addresses {
		ips = append(ips, net.IP(a.AsSlice()))
	}
	return ips
}
