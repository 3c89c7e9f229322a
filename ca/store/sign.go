package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// Publication tells what signing the revocation lists did.
type Publication struct {
	Lists    []Published // one for each authority that signed
	Taken    []crl.Entry // revocations that another program had signed into ca.pem, and that were read back
	SetAside string      // where a ca.pem that another hand had changed was kept; "" where there was none
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them
	Removed  []crl.Entry // had vanished, and were removed for good, as Signing.AcceptRemovals says
}

// Published is a list that was signed.
type Published struct {
	Authority string // its common name
	Entries   int
	Number    *big.Int
}

// Signing is how revocation lists are signed.
type Signing struct {
	Days int // until the lists lapse; zero means [ca.DefaultCRLDays]
	// Urgent signs, as revoking does, even though the clock cannot be right: by the time of the ledger's last entry. A list
	// by a clock that lags a year would have lapsed at once, and servers that load it would lock everyone out.
	Urgent bool
	// AcceptRemovals confirms that what has vanished from FTS_CRL.json is to be in force no more, as Remove with force does.
	// Else it is signed all the same.
	AcceptRemovals bool
}

// SignCRL has each authority given sign what is in force of its certificates, and publishes the lists as FTS_CRL.pem
// and within ca.pem. What another program signed into ca.pem since the last time is taken into the list first, and what
// another hand changed there is set aside.
func (s *Store) SignCRL(ctx context.Context, how Signing, authorities ...*ca.Authority) (Publication, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Publication{}, err
	}
	defer unlock()
	if err := s.recover(); err != nil {
		return Publication{}, err
	}
	var p Publication
	var seen numbers
	if p.Taken, seen, p.SetAside, err = s.readBack(); err != nil {
		return Publication{}, err
	}
	standing, err := s.settled()
	if err != nil {
		return Publication{}, err
	}
	if standing.Broken != nil {
		return Publication{}, standing.Broken
	}
	names, err := s.displacedNames()
	if err != nil {
		return Publication{}, err
	}
	if len(p.Taken)+len(names) > 0 {
		var edit Outcome
		if _, err := s.edit(true, p.Taken, nil, &edit); err != nil {
			return Publication{}, fmt.Errorf("taking up what another program revoked: %w", err)
		}
		if standing, err = s.standing(nil); err != nil {
			return Publication{}, err
		}
	}
	if how.AcceptRemovals && len(standing.Vanished) > 0 {
		o, err := s.remove(standing.Vanished, nil, true, ", and it had vanished when the list was signed")
		if err != nil {
			return Publication{}, err
		}
		p.Removed = o.Removed
		if standing, err = s.standing(nil); err != nil {
			return Publication{}, err
		}
	}
	p.Vanished = standing.Vanished
	if err := s.keepStanding(&standing); err != nil {
		return Publication{}, err
	}
	at, noted, err := s.signingTime(how.Urgent)
	if err != nil {
		return Publication{}, err
	}
	shares, last, err := s.share(authorities, standing.InForce)
	if err != nil {
		return Publication{}, err
	}
	for i, a := range authorities {
		last[i].Number = seen.highest(a.Certificate(), standing.Signed, last[i].Number)
	}
	// Of a list of a million entries each form has tens of megabytes: none is held for longer than it is needed.
	standing = Standing{}
	lists := make([][]byte, len(authorities))
	for i, a := range authorities {
		list, number, err := a.SignCRL(at, shares[i].entries(), last[i].Number, how.Days)
		if err != nil {
			return Publication{}, err
		}
		shares[i] = subset{}
		var signed *crl.X509
		if signed, lists[i], err = encode(list); err != nil {
			return Publication{}, err
		}
		p.Lists = append(p.Lists, Published{Authority: a.Certificate().Subject.CommonName, Entries: signed.Len(), Number: number})
	}
	// The numbers are used up before the lists are seen anywhere, so that a kill can never make one come twice.
	var files map[string][]byte
	size := 0
	for _, l := range lists {
		size += 2 * len(l)
	}
	err = s.changeLong(size, func(tx *bbolt.Tx) error {
		for i, l := range p.Lists {
			if err := putEncoded(tx, authorities[i].Certificate(), l.Number, lists[i]); err != nil {
				return err
			}
			if err := s.record(tx, AuditEntry{Act: "sign-crl", Name: l.Authority,
				Detail: fmt.Sprintf("number %s, revocations: %d", l.Number, l.Entries) + remark(noted)}); err != nil {
				return err
			}
		}
		var err error
		if files, err = s.compose(tx); err != nil {
			return err
		}
		return putPublished(tx.Bucket(metaBucket), files)
	})
	if err != nil {
		return Publication{}, fmt.Errorf("recording the revocation list: %w", err)
	}
	return p, s.writePublished(files)
}

// keepStanding keeps in the ledger what is in force, where it has another list. This is a change of its own, before
// anything is signed: together with the signed lists, it would all have to be held at once.
func (s *Store) keepStanding(st *Standing) error {
	released := crl.Missing(st.InForce, st.released)
	text := st.sum
	if !st.lists(st.InForce) {
		text = sha256.Sum256(listOf(st.InForce).Bytes())
	}
	same := false
	err := s.look(func(tx *bbolt.Tx) error {
		same = sameLast(tx, text)
		return nil
	})
	if err != nil || same && len(released) == len(st.released) {
		return err
	}
	if err := s.change(func(tx *bbolt.Tx) error { return putLists(tx, text, st.InForce, releases(released)) }); err != nil {
		return fmt.Errorf("recording what is in force: %w", err)
	}
	return nil
}

// settled is standing, after a moment where the list cannot be read: a script that writes it in place may be about to.
func (s *Store) settled() (Standing, error) {
	const patience, pause = 500 * time.Millisecond, 5 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		standing, err := s.standing(nil)
		if err != nil || standing.Broken == nil || time.Now().After(end) {
			return standing, err
		}
	}
}

// signingTime is the time that lists bear, and what the audit trail shall say of it.
func (s *Store) signingTime(urgent bool) (at time.Time, noted string, err error) {
	err = s.look(func(tx *bbolt.Tx) error {
		at = s.o.Now()
		var err error
		if noted, err = s.o.clock().Check(latest(tx)); err != nil && urgent {
			at, noted, err = latest(tx), err.Error(), nil
			if at.Before(s.o.Built) {
				at = s.o.Built
			}
		}
		return err
	})
	return at, noted, err
}

// share gives each authority the entries of the certificates that it issued: those that name it as issuer, and those
// that name nobody, unless the ledger knows the serial as another's. What had expired before its last list was made goes.
// It returns each one's last list too, of which no more than the number outlives the look.
func (s *Store) share(authorities []*ca.Authority, entries []crl.Entry) (shares []subset, last []keptList, err error) {
	shares, last = make([]subset, len(authorities)), make([]keptList, len(authorities))
	err = s.look(func(tx *bbolt.Tx) error {
		kept, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		alone := kept.Current != "" && len(kept.Earlier)+len(kept.Roots) == 0
		ids, made := make([]string, len(authorities)), map[string]time.Time{}
		for i, a := range authorities {
			ids[i], shares[i].of = crl.KeyID(a.Certificate()), entries
			if last[i], err = getList(tx, a.Certificate()); err != nil {
				return err
			}
			if made[ids[i]], err = last[i].made(); err != nil {
				return err
			}
			last[i].encoded = nil
		}
		find := validities(tx)
		for _, e := range entries {
			v, known := find(e.Serial.String())
			lapsed := known && v.lapsed(e, made[v.Issuer])
			issuer := e.Issuer
			if issuer == "" && known && !alone {
				issuer = v.Issuer
			}
			for i := range shares {
				shares[i].take(!lapsed && (issuer == "" || issuer == ids[i]))
			}
		}
		return nil
	})
	return shares, last, err
}

// readBack looks at ca.pem before it is overwritten. A FreeTAKServer that revokes signs its list into that file, with
// the authority's key and without raising the list's number, and nowhere else: those entries are returned, and the
// numbers of their lists, which another program may have raised. Any other change is kept in a file of its own, whose
// name is returned. The caller holds the lock.
func (s *Store) readBack() (taken []crl.Entry, seen numbers, setAside string, err error) {
	path := s.endpoint(caFile)
	found, err := sumOf(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
		return nil, nil, "", nil
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("looking at what is published: %w", err)
	}
	published := map[string]string{}
	var ours Authorities
	err = s.look(func(tx *bbolt.Tx) error {
		kept, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		if ours, err = kept.load(tx); err != nil {
			return err
		}
		return json.Unmarshal(tx.Bucket(metaBucket).Get(publishedKey), &published)
	})
	if err != nil {
		return nil, nil, "", fmt.Errorf("looking at what was last published: %w", err)
	}
	if hex.EncodeToString(found[:]) == published[caFile] {
		return nil, nil, "", nil
	}
	data, err := readRegular(path)
	if err != nil {
		return nil, nil, "", fmt.Errorf("looking at what is published: %w", err)
	}
	foreign := false
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			foreign = foreign || len(bytes.TrimSpace(rest)) > 0
			break
		}
		if block.Type == "CERTIFICATE" {
			foreign = foreign || !ours.knows(block.Bytes)
			continue
		}
		list, err := crl.ParseX509(block.Bytes)
		if block.Type != "X509 CRL" || err != nil || !ours.signed(list) {
			foreign = true
			continue
		}
		taken, list.Entries = append(taken, list.Entries...), nil
		seen = append(seen, list)
	}
	standing, err := s.standing(nil)
	if err != nil {
		return nil, nil, "", err
	}
	// It may be a list from before something was removed, with an entry of another program's.
	if taken = crl.Except(crl.Missing(standing.InForce, taken), standing.released); !foreign {
		return taken, seen, "", nil
	}
	setAside, err = s.setAside(caFile, data, "changed")
	return taken, seen, setAside, err
}

// knows tells whether a certificate is one of the authorities', or an earlier one for the same key and name.
func (a Authorities) knows(der []byte) bool {
	cert, err := x509.ParseCertificate(der)
	return err == nil && slices.ContainsFunc(a.All(), func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubject, cert.RawSubject) && bytes.Equal(c.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo)
	})
}

// signed tells whether one of the authorities signed a list.
func (a Authorities) signed(list *crl.X509) bool {
	return slices.ContainsFunc(a.All(), func(c *x509.Certificate) bool { return list.CheckSignature(c) == nil })
}
