package transfer

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// Review is what a signer sees of a request, item by item.
type Review struct {
	Request Manifest
	Cases   []*Case

	store       *store.Store
	authorities store.Authorities
	sum         [32]byte
	endpoint    bool           // it is said to come from an endpoint of one of the store's authorities
	below       bool           // it is said to come from an authority below this root
	named       map[string]int // item that asks for a name
}

// Case is one item of a request.
type Case struct {
	Item    Item
	Rows    [][2]string // the item in full, label and text, safe for a terminal
	Refused string      // why it cannot be granted, or was not; "" where it is to be
	Quiet   bool        // there is nothing to decide: it asks only for what is newer
	Grave   bool        // it gives or takes the powers of an authority

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
	r := &Review{Request: m, store: s, authorities: a, sum: sum, named: map[string]int{}}
	if err := r.place(ctx); err != nil {
		return nil, err
	}
	for i, it := range m.Items {
		c := &Case{Item: it}
		if err := r.judge(ctx, c, contents[i], o); err != nil {
			c.Refused = line(err.Error())
		} else if name := c.order.Request.Subject.CommonName; name != "" {
			r.named[name] = i + 1
		}
		r.Cases = append(r.Cases, c)
	}
	return r, nil
}

// place finds whose request it is, by the key that it names. Anybody can name one: that keeps mistakes away, and no more.
func (r *Review) place(ctx context.Context) error {
	if !r.authorities.IsRoot() {
		r.endpoint = slices.ContainsFunc(r.authorities.All(), func(c *x509.Certificate) bool {
			return keySum(c.RawSubjectPublicKeyInfo) == r.Request.From.Key
		})
		return nil
	}
	records, err := r.store.Records(ctx)
	if err != nil {
		return err
	}
	for _, record := range records {
		if record.Purpose != ca.Issuing {
			continue
		}
		cert, err := r.store.Certificate(ctx, record.Serial)
		if err != nil {
			return err
		}
		r.below = r.below || keySum(cert.RawSubjectPublicKeyInfo) == r.Request.From.Key
	}
	return nil
}

// Orders tells whether anything has to be signed as a certificate.
func (r *Review) Orders() bool {
	return slices.ContainsFunc(r.Cases, func(c *Case) bool { return c.Refused == "" && c.order.Request.PublicKey != nil })
}

// Revoke puts what the request revokes, as far as it was not refused, on the store's list.
func (r *Review) Revoke(ctx context.Context) (store.Outcome, error) {
	var entries []crl.Entry
	names := map[crl.Serial]string{}
	for _, c := range r.Cases {
		if c.Refused != "" {
			continue
		}
		for _, e := range c.revoked {
			record, _, err := r.recordOf(ctx, e.Serial)
			if err != nil {
				return store.Outcome{}, err
			}
			names[e.Serial] = record.Name
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return store.Outcome{}, nil
	}
	return r.store.Revoke(ctx, entries, names)
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

// line makes one line of a text that a manifest may hold.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	const more = "…"
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText-len(more)], "") + more
	}
	return s
}
