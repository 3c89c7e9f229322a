package transfer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
)

// Review is what a signer sees of a request, item by item.
type Review struct {
	Request Manifest
	Cases   []*Case

	store       *store.Store
	authorities store.Authorities
	sum         [32]byte
	endpoint    bool // it comes from an endpoint of one of the store's authorities
}

// Case is one item of a request.
type Case struct {
	Item    Item
	Rows    [][2]string // the item in full, label and text, safe for a terminal
	Refused string      // why it cannot be granted, or was not; "" where it is to be
	Quiet   bool        // there is nothing to decide: it asks only for what is newer

	order   ca.Order
	revoked []crl.Entry
}

// Options of a review.
type Options struct {
	Now           time.Time
	Days          int  // validity of what is signed; zero means the profile's
	NewGeneration bool // names in use may be given again
}

// NewReview judges a request that was read from a folder. What is amiss with an item becomes its refusal; the error is
// about the request as a whole.
func NewReview(ctx context.Context, s *store.Store, m Manifest, contents [][]byte, sum [32]byte, o Options) (*Review, error) {
	a, err := s.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	if a.Current == nil {
		return nil, store.ErrPending
	}
	r := &Review{Request: m, store: s, authorities: a, sum: sum}
	for _, c := range a.All() {
		r.endpoint = r.endpoint || !a.IsRoot() && keySum(c.RawSubjectPublicKeyInfo) == m.From.Key
	}
	for i, it := range m.Items {
		c := &Case{Item: it}
		if err := r.judge(ctx, c, contents[i], o); err != nil {
			c.Refused = line(err.Error())
		}
		r.Cases = append(r.Cases, c)
	}
	return r, nil
}

func (r *Review) judge(ctx context.Context, c *Case, content []byte, o Options) error {
	switch c.Item.Kind {
	case News:
		c.Quiet = true
		return nil
	case Revocations:
		return r.judgeRevocations(ctx, c, content)
	case AuthorityRequest, CertificateRequest:
		return r.judgeRequest(ctx, c, content, o)
	}
	return fmt.Errorf("this ftsca does not know items of the kind %q", c.Item.Kind)
}

// judgeRevocations shows what would be revoked that is not yet.
func (r *Review) judgeRevocations(ctx context.Context, c *Case, content []byte) error {
	list, err := crl.Parse(content)
	if err != nil {
		return fmt.Errorf("the revocation list: %w", err)
	}
	standing, err := r.store.Standing(ctx)
	if err != nil {
		return err
	}
	c.revoked = crl.Missing(standing.InForce, list.Entries())
	c.Rows = append(c.Rows, [2]string{"revocations", fmt.Sprintf("%d, of them %d new", list.Len(), len(c.revoked))})
	c.Quiet = len(c.revoked) == 0
	for _, e := range c.revoked {
		who := ""
		if records, err := r.store.Find(ctx, e.Serial.String()); err == nil {
			if records[0].Purpose == ca.Single || records[0].Purpose == ca.Root {
				return fmt.Errorf("it revokes the authority %q itself", records[0].Name)
			}
			who = fmt.Sprintf(" (%s#%d)", records[0].Name, records[0].Generation)
		}
		c.Rows = append(c.Rows, [2]string{"revoke", e.Serial.String() + who + ", " + e.Reason.String()})
	}
	return nil
}

// judgeRequest shows a certificate request in full, and what would be signed.
func (r *Review) judgeRequest(ctx context.Context, c *Case, content []byte, o Options) error {
	parsed, err := csr.Parse(content)
	if err == nil && len(parsed) != 1 {
		err = fmt.Errorf("it holds %d requests", len(parsed))
	}
	if err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	f := parsed[0]
	c.Rows = append(c.Rows, f.Rows()...)
	purpose := ca.Client
	switch {
	case c.Item.Kind == AuthorityRequest && !f.Authority:
		return errors.New("it is said to be an authority's request, and does not ask for an authority's powers")
	case c.Item.Kind == CertificateRequest && f.Authority:
		return errors.New("it asks for the powers of an authority, and is not said to be an authority's")
	case c.Item.Kind == CertificateRequest && !r.endpoint && !r.authorities.IsRoot():
		return errors.New("it does not come from an endpoint of this authority")
	case f.Authority:
		purpose = ca.Issuing
	case len(f.Asked.DNSNames)+len(f.Asked.Addresses) > 0:
		purpose = ca.Server
	}
	request, err := f.As(f.Name(), nil)
	if err != nil {
		return err
	}
	c.order = ca.Order{Purpose: purpose, Request: request, Days: o.Days, NewGeneration: o.NewGeneration}
	if err := r.judgeName(ctx, c); err != nil {
		return err
	}
	cert, cut, err := ca.Preview(r.authorities.Current, o.Now, c.order)
	if err != nil {
		return err
	}
	until := cert.NotAfter.UTC().Format(time.RFC3339)
	if cut {
		until += ", where its authority ends"
	}
	c.Rows = append(c.Rows, [2]string{"would be", fmt.Sprintf("%s, until %s", purpose, until)})
	return nil
}

// judgeName gives a name again to whoever has it: the same key under the same name is a renewal.
func (r *Review) judgeName(ctx context.Context, c *Case) error {
	name := c.order.Request.Subject.CommonName
	records, err := r.store.Find(ctx, name)
	var unknown *store.UnknownError
	if errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		return err
	}
	last := records[len(records)-1]
	if last.Name != name || c.order.NewGeneration {
		return nil
	}
	cert, err := r.store.Certificate(ctx, last.Serial)
	if err != nil {
		return err
	}
	if key, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && key.Equal(c.order.Request.PublicKey) {
		c.order.NewGeneration = true
		c.Rows = append(c.Rows, [2]string{"renews", fmt.Sprintf("generation %d, the same key", last.Generation)})
		return nil
	}
	return &ca.NameInUseError{Name: last.Name, Generation: last.Generation}
}

// Orders tells whether anything has to be signed as a certificate.
func (r *Review) Orders() bool {
	return slices.ContainsFunc(r.Cases, func(c *Case) bool { return c.Refused == "" && c.order.Request.PublicKey != nil })
}

// Revoke puts what the request revokes, as far as it was not refused, on the store's list.
func (r *Review) Revoke(ctx context.Context) (store.Outcome, error) {
	var entries []crl.Entry
	for _, c := range r.Cases {
		if c.Refused == "" {
			entries = append(entries, c.revoked...)
		}
	}
	if len(entries) == 0 {
		return store.Outcome{}, nil
	}
	return r.store.Revoke(ctx, entries, nil)
}

// Grant signs what was not refused, in one act, and returns the answer with its contents. authority may be nil where
// there is nothing to sign.
func (r *Review) Grant(ctx context.Context, authority *ca.Authority, now time.Time) (Manifest, [][]byte, error) {
	var orders []ca.Order
	for _, c := range r.Cases {
		if c.Refused == "" && c.order.Request.PublicKey != nil {
			orders = append(orders, c.order)
		}
	}
	var entries []ca.Entry
	var err error
	if len(orders) > 0 {
		if entries, err = authority.IssueAll(ctx, orders); err != nil {
			return Manifest{}, nil, err
		}
	}
	m := Manifest{Kind: Answer, ID: NewID(), Made: now, InReplyTo: fmt.Sprintf("%x", r.sum)}
	if m.From, err = authorityParty(r.store.Name(), r.authorities); err != nil {
		return m, nil, err
	}
	var contents [][]byte
	for _, c := range r.Cases {
		add := func(kind string, content []byte) {
			if len(content) > 0 {
				m.Items = append(m.Items, Item{Kind: kind, Answers: c.Item.File})
				contents = append(contents, content)
			}
		}
		switch {
		case c.Refused != "":
			m.Items = append(m.Items, Item{Kind: c.Item.Kind, Answers: c.Item.File, Refused: c.Refused})
			contents = append(contents, nil)
		case c.order.Request.PublicKey != nil:
			e := entries[0]
			entries = entries[1:]
			answer, err := r.certificate(ctx, e)
			if err != nil {
				return m, nil, err
			}
			add(map[bool]string{true: AuthorityCertificate, false: Certificate}[e.Purpose == ca.Issuing], answer)
		default:
			if err := r.news(ctx, c, add); err != nil {
				return m, nil, err
			}
		}
	}
	m, err = Complete(m, contents)
	return m, contents, err
}

// certificate is the answer to a request: the certificate, those above it, and for an authority the root's list.
func (r *Review) certificate(ctx context.Context, e ca.Entry) ([]byte, error) {
	answer := append(encodeCertificates([]*x509.Certificate{e.Certificate}), encodeCertificates(r.authorities.ChainOf(r.authorities.Current))...)
	if e.Purpose != ca.Issuing {
		return answer, nil
	}
	list, err := r.store.SignedList(ctx, r.authorities.Current)
	return append(answer, list...), err
}

// news answers what asks for nothing to be decided.
func (r *Review) news(ctx context.Context, c *Case, add func(kind string, content []byte)) error {
	if c.Item.Kind == Revocations {
		standing, err := r.store.Standing(ctx)
		if err != nil {
			return err
		}
		add(Revoked, listText(standing.InForce))
		return nil
	}
	add(Authorities, encodeCertificates(r.authorities.All()))
	var lists bytes.Buffer
	for _, a := range r.authorities.All() {
		list, err := r.store.SignedList(ctx, a)
		if err != nil {
			return err
		}
		lists.Write(list)
	}
	add(Lists, lists.Bytes())
	if !r.endpoint {
		return nil
	}
	standing, err := r.store.Standing(ctx)
	if err != nil {
		return err
	}
	if len(standing.InForce) > 0 {
		add(Revoked, listText(standing.InForce))
	}
	issued, err := os.ReadFile(r.store.IssuedFile())
	if err != nil {
		return fmt.Errorf("reading what was issued: %w", err)
	}
	add(Issued, issued)
	return nil
}

// line makes one line of a text, that a manifest may hold.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	return short(s[:min(len(s), MaxText)])
}
