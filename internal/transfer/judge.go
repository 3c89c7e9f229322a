package transfer

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
)

// judge fills in what a signer sees of an item. Its error is why the item cannot be granted.
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
	switch {
	case r.authorities.IsRoot() && !r.below:
		return errors.New("it does not come from an authority below this root")
	case !r.authorities.IsRoot() && !r.endpoint:
		return errors.New("it does not come from an endpoint of this authority")
	}
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
		for _, own := range r.authorities.All() {
			if crl.SerialOf(own.SerialNumber) == e.Serial {
				return fmt.Errorf("it revokes the authority %q of this store", own.Subject.CommonName)
			}
		}
		record, known, err := r.recordOf(ctx, e.Serial)
		if err != nil {
			return err
		}
		id := crl.KeyID(r.authorities.Current)
		if ours := e.Issuer == id || e.Issuer == "" && known && record.Issuer == id; r.authorities.IsRoot() && !ours {
			return fmt.Errorf("it revokes %s, which this root has not issued", e.Serial)
		}
		who, what := "", ""
		if known {
			who = fmt.Sprintf(" (%s#%d)", record.Name, record.Generation)
		}
		if known && record.Purpose.IsAuthority() {
			what, c.Grave = ", an authority", true
		}
		c.Rows = append(c.Rows, [2]string{"revoke", e.Serial.String() + who + ", " + e.Reason.String() + what})
	}
	return nil
}

// recordOf finds what is recorded of a serial. A certificate may have another's serial for a name; that one is not meant.
func (r *Review) recordOf(ctx context.Context, serial crl.Serial) (record store.Record, known bool, err error) {
	cert, err := r.store.Certificate(ctx, serial.String())
	if _, unknown := errors.AsType[*store.UnknownError](err); unknown {
		return record, false, nil
	}
	if err != nil {
		return record, false, err
	}
	records, err := r.store.Find(ctx, cert.Subject.CommonName)
	for _, record := range records {
		if record.Serial == serial.String() {
			return record, true, err
		}
	}
	return record, false, err
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
	case c.Item.Kind == CertificateRequest && r.authorities.IsRoot():
		return errors.New("this authority is a root: it issues to no server or client of its own")
	case c.Item.Kind == CertificateRequest && !r.endpoint:
		return errors.New("it does not come from an endpoint of this authority")
	case f.Authority:
		purpose, c.Grave = ca.Issuing, true
	case len(f.Asked.DNSNames)+len(f.Asked.Addresses) > 0:
		purpose = ca.Server
	}
	request, err := f.As(f.Name(), nil)
	if err != nil {
		return err
	}
	order := ca.Order{Purpose: purpose, Request: request, Days: o.Days, NewGeneration: o.NewGeneration}
	if err := r.judgeName(ctx, c, &order); err != nil {
		return err
	}
	cert, cut, err := ca.Preview(r.authorities.Current, o.Now, order)
	if err != nil {
		return err
	}
	c.order = order
	until := cert.NotAfter.UTC().Format(time.RFC3339)
	if cut {
		until += ", where its authority ends"
	}
	c.Rows = append(c.Rows, [2]string{"would be", fmt.Sprintf("%s, until %s", purpose, until)})
	return nil
}

// judgeName gives a name again to whoever has it: the same key under the same name is a renewal. A key that was revoked
// under the name is not: whoever stole it may be asking.
func (r *Review) judgeName(ctx context.Context, c *Case, order *ca.Order) error {
	name := order.Request.Subject.CommonName
	if other, twice := r.named[name]; twice {
		return fmt.Errorf("item %d asks for the name %q already", other, name)
	}
	records, err := r.store.Find(ctx, name)
	var unknown *store.UnknownError
	if errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if records[0].Name != name {
		return nil
	}
	standing, err := r.store.Standing(ctx)
	if err != nil {
		return err
	}
	same := false
	for _, record := range records {
		cert, err := r.store.Certificate(ctx, record.Serial)
		if err != nil {
			return err
		}
		key, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if same = ok && key.Equal(order.Request.PublicKey); same && isRevoked(standing.InForce, record) {
			return fmt.Errorf("its key was revoked as that of %q, generation %d: a new key has to be made", name, record.Generation)
		}
	}
	last := records[len(records)-1]
	switch {
	case order.NewGeneration:
	case same:
		order.NewGeneration = true
		c.Rows = append(c.Rows, [2]string{"renews", fmt.Sprintf("generation %d, the same key", last.Generation)})
	default:
		return &ca.NameInUseError{Name: last.Name, Generation: last.Generation}
	}
	return nil
}

func isRevoked(inForce []crl.Entry, record store.Record) bool {
	return slices.ContainsFunc(inForce, func(e crl.Entry) bool {
		return e.Serial.String() == record.Serial && (e.Issuer == "" || e.Issuer == record.Issuer)
	})
}
