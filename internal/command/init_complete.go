package command

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/prompt"
)

// maxAnswer bounds what is read as a root's answer, in bytes: certificates, and a list of some revoked authorities.
const maxAnswer = 4 << 20

// runInitComplete installs the answer to the request of a pending authority.
func runInitComplete(ctx context.Context, o *initOptions) error {
	g := o.g
	keys, err := g.openKeys(ctx, o.passphrase)
	if err != nil {
		return err
	}
	s := keys.store
	defer s.Close()
	data, err := readBounded(o.complete, maxAnswer)
	if err != nil {
		return fmt.Errorf("reading the root's answer: %w", err)
	}
	answer, err := readAnswer(data, keys.authorities, g.env.Now())
	if err != nil {
		return fmt.Errorf("the answer %s: %w", o.complete, err)
	}
	if err := g.trustRoot(keys.authorities, answer.root, o.yes); err != nil {
		return err
	}
	if o.dryRun {
		g.say("would install  %s, until %s", answer.cert.Subject.CommonName, stamp(answer.cert.NotAfter))
		return nil
	}
	if err := keys.install(ctx, answer); err != nil {
		return err
	}
	f := founded{Name: answer.cert.Subject.CommonName, Purpose: string(ca.Issuing), Store: s.Dir(), Serial: serialOf(answer.cert),
		Fingerprint: fingerprint(answer.cert), Key: keyName(answer.cert.PublicKey), NotBefore: stamp(answer.cert.NotBefore), NotAfter: stamp(answer.cert.NotAfter)}
	if o.json {
		return output.JSON(g.env.Stdout, f)
	}
	g.say("installed    %s", f.Name)
	g.say("until        %s", f.NotAfter)
	g.say("fingerprint  %s", f.Fingerprint)
	g.say("root         %s, %s", answer.root.Subject.CommonName, fingerprint(answer.root))
	return nil
}

// install puts a root's answer into the store, with the first revocation list of a new key.
func (k *keyring) install(ctx context.Context, answer *rootAnswer) error {
	key, err := k.pending()
	if err != nil {
		return err
	}
	// It tries the key, so that an authority that cannot sign is never installed.
	first, err := firstList(answer.cert, key, k.g)
	if err != nil {
		return err
	}
	lists := answer.lists
	if k.authorities.Current == nil || crl.KeyID(k.authorities.Current) != crl.KeyID(answer.cert) {
		lists = append(lists, first)
	}
	return k.store.Install(ctx, store.Installation{Certificate: answer.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{answer.root}, Lists: lists})
}

// rootAnswer is what a root made of the request of a pending authority.
type rootAnswer struct {
	cert, root *x509.Certificate
	lists      []store.SignedList // the root's own
}

// readAnswer finds in a file the certificate that answers the pending request, and the root that signed it, and checks
// that it is no more and no less than was asked for.
func readAnswer(data []byte, authorities store.Authorities, now time.Time) (*rootAnswer, error) {
	if authorities.Pending == nil {
		return nil, hinted(errors.New("this store awaits no answer"), "ftsca init --issuing, ftsca ca renew and ftsca ca rollover make requests")
	}
	certs := authorities.Roots
	var lists []*pem.Block
	a := &rootAnswer{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("a certificate in it cannot be read: %w", err)
			}
			if authorities.Pending.IsAnsweredBy(cert) {
				a.cert = cert
			} else {
				certs = append(certs, cert)
			}
		case "X509 CRL":
			lists = append(lists, block)
		}
	}
	request, err := x509.ParseCertificateRequest(authorities.Pending.Request)
	if err != nil {
		return nil, fmt.Errorf("the pending request: %w", err)
	}
	switch {
	case a.cert == nil:
		return nil, errors.New("it has no certificate for the key that this store asks for: it answers another request")
	case !bytes.Equal(a.cert.RawSubject, request.RawSubject):
		return nil, fmt.Errorf("its certificate is for %q, and the request was for %q", a.cert.Subject, request.Subject)
	case !a.cert.BasicConstraintsValid || !a.cert.IsCA || a.cert.KeyUsage&x509.KeyUsageCertSign == 0 || a.cert.KeyUsage&x509.KeyUsageCRLSign == 0:
		return nil, fmt.Errorf("its certificate of %q is not an issuing authority's: it was signed with another profile", a.cert.Subject.CommonName)
	case now.After(a.cert.NotAfter) || now.Before(a.cert.NotBefore):
		return nil, fmt.Errorf("its certificate of %q is valid from %s to %s", a.cert.Subject.CommonName, stamp(a.cert.NotBefore), stamp(a.cert.NotAfter))
	}
	for _, c := range certs {
		if c.IsCA && bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(c) == nil && a.cert.CheckSignatureFrom(c) == nil {
			a.root = c
		}
	}
	if a.root == nil {
		return nil, fmt.Errorf("it lacks the self-signed certificate of the root %q that signed it", a.cert.Issuer.CommonName)
	}
	for _, block := range lists {
		list, err := crl.ParseX509(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("its revocation list cannot be read: %w", err)
		}
		if err := list.CheckSignature(a.root); err != nil {
			return nil, fmt.Errorf("its revocation list is not the root's: %w", err)
		}
		a.lists = append(a.lists, store.SignedList{Authority: a.root, PEM: pem.EncodeToMemory(block)})
	}
	return a, nil
}

// trustRoot asks whether a root that this store does not know is the right one: everything below it will be believed.
func (g *global) trustRoot(authorities store.Authorities, root *x509.Certificate, yes bool) error {
	for _, known := range authorities.Roots {
		if bytes.Equal(known.RawSubjectPublicKeyInfo, root.RawSubjectPublicKeyInfo) {
			return nil
		}
	}
	g.talk("root         %s", root.Subject.CommonName)
	g.talk("fingerprint  %s", fingerprint(root))
	if yes {
		return nil
	}
	ok, err := g.env.Prompt().Confirm(prompt.Question{Text: "Is this the fingerprint that the root's machine shows", Flag: "--yes"})
	if err == nil && !ok {
		err = errors.New("the root was not confirmed, and nothing was installed")
	}
	return err
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, err
}
