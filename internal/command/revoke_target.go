package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// target is a certificate to revoke; the store may not know its name.
type target struct {
	serial     crl.Serial
	issuer     string // an authority's: only an entry that names it takes a whole authority off
	name       string
	generation int
	due        bool // its time has come
}

// reason is why it is revoked: what its time has come for, a later certificate has taken the place of.
func (t target) reason(given crl.Reason) crl.Reason {
	if t.due && given == crl.Unspecified {
		return crl.Superseded
	}
	return given
}

func (t *target) of(r store.Record) {
	t.name, t.generation = r.Name, r.Generation
	if r.Purpose.IsAuthority() {
		t.issuer = r.Issuer
	}
}

func (t target) String() string {
	if t.name == "" {
		return "serial " + t.serial.String()
	}
	return fmt.Sprintf("%s#%d (serial %s)", t.name, t.generation, t.serial)
}

// dueTargets returns what was renewed with an overlap that is over, and is not revoked yet.
func (o *revokeOptions) dueTargets(ctx context.Context, s *store.Store) ([]target, error) {
	if !s.HasAuthority() {
		return nil, hinted(store.ErrNoAuthority, "what is due is known where the authority is")
	}
	records, err := s.Records(ctx)
	if err != nil {
		return nil, err
	}
	standing, err := s.Standing(ctx)
	if err != nil {
		return nil, err
	}
	revoked, now := revocationsOf(standing.InForce), o.g.env.Now()
	var due []target
	for _, r := range records {
		if state, _ := revoked.state(r, now); r.RevokeAt.IsZero() || now.Before(r.RevokeAt) || state != stateValid {
			continue
		}
		serial, err := crl.ParseSerial(r.Serial)
		if err != nil {
			return nil, fmt.Errorf("the record of %q: %w", r.Name, err)
		}
		t := target{serial: serial, due: true}
		t.of(r)
		due = append(due, t)
	}
	return due, nil
}

// revocable refuses what an authority cannot revoke: itself, and what stands at the top.
func (o *revokeOptions) revocable(ctx context.Context, s *store.Store, r store.Record) error {
	switch {
	case r.Purpose == ca.Single || r.Purpose == ca.Root:
		return hinted(usagef("%q is its own issuer, which cannot revoke itself", r.Name), "ftsca ca rollover founds another authority, and ftsca ca retire takes this one out of use")
	case r.Purpose == ca.Issuing:
		// Where the ledger cannot be read, nobody can say, and no revocation is to be stopped.
		authorities, err := s.Authorities(ctx)
		if err == nil && authorities.Current != nil && serialOf(authorities.Current) == r.Serial {
			return hinted(usagef("%q issues here: revoking it would lock everyone out", r.Name), "ftsca ca rollover first, then revoke it, on its root's machine too")
		}
	}
	return nil
}

// targets resolves what is to be revoked. Where the ledger cannot be read, the endpoint's list of what was issued
// serves, and that becomes a problem to tell of afterwards.
func (o *revokeOptions) targets(ctx context.Context, s *store.Store) (targets []target, problems []error, err error) {
	find := func(address string) ([]store.Record, error) {
		records, err := s.Find(ctx, address)
		var unknown *store.UnknownError
		if err == nil || errors.As(err, &unknown) || ctx.Err() != nil {
			return records, err
		}
		problems = append(problems, err)
		return s.FindListed(address)
	}
	seen := map[crl.Serial]bool{}
	add := func(t target) {
		if !seen[t.serial] {
			seen[t.serial] = true
			targets = append(targets, t)
		}
	}
	addresses, serials := o.addresses, o.serials
	if o.from != "" {
		many, err := o.readFrom(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if many.damaged != nil {
			problems = append(problems, many.damaged)
		}
		addresses, serials = append(addresses, many.addresses...), append(serials, many.serials...)
		find = many.find
	}
	now := o.g.env.Now()
	for _, address := range addresses {
		records, err := find(address)
		if err != nil {
			return nil, nil, err
		}
		live := 0
		for _, r := range records {
			if err := o.revocable(ctx, s, r); err != nil {
				return nil, nil, err
			}
			// A name means its unexpired generations; one certificate named outright is meant whatever its age.
			if len(records) > 1 && now.After(r.NotAfter) {
				continue
			}
			serial, err := crl.ParseSerial(r.Serial)
			if err != nil {
				return nil, nil, fmt.Errorf("the record of %q: %w", r.Name, err)
			}
			live++
			t := target{serial: serial}
			t.of(r)
			add(t)
		}
		if live == 0 {
			return nil, nil, fmt.Errorf("every certificate of %q has expired: there is nothing to revoke", address)
		}
	}
	// A serial is revoked whether or not the store knows it: it may be another program's certificate of this authority.
	bySerial := func(serial crl.Serial) error {
		t := target{serial: serial}
		if records, err := find(serial.String()); err == nil && len(records) == 1 && records[0].Serial == serial.String() {
			if err := o.revocable(ctx, s, records[0]); err != nil {
				return err
			}
			t.of(records[0])
		}
		add(t)
		return nil
	}
	for _, text := range serials {
		serial, err := crl.ParseSerial(text)
		if err != nil {
			return nil, nil, &usageError{fmt.Errorf("--serial %q: %w", text, err)}
		}
		if err := bySerial(serial); err != nil {
			return nil, nil, err
		}
	}
	for _, file := range o.files {
		cert, err := readCertificate(file)
		if err != nil {
			return nil, nil, err
		}
		if err := o.checkOurs(ctx, s, cert, file); err != nil {
			return nil, nil, err
		}
		if err := bySerial(crl.SerialOf(cert.SerialNumber)); err != nil {
			return nil, nil, err
		}
	}
	return targets, problems, nil
}

// checkOurs refuses a certificate of another authority: its serial would revoke whichever of ours had the same one.
func (o *revokeOptions) checkOurs(ctx context.Context, s *store.Store, cert *x509.Certificate, file string) error {
	if !s.HasAuthority() {
		return nil
	}
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return nil // a damaged ledger stops no revocation
	}
	if issuerOf(cert, authorities.All()) != nil {
		return nil
	}
	return fmt.Errorf("%s holds a certificate of another authority, %q", file, cert.Issuer.CommonName)
}
