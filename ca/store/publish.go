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
	"io"
	"io/fs"
	"math/big"
	"os"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// publishIssued appends recorded certificates to the endpoint's list, as far as they are not among its last lines
// already, as after a kill between the two. The caller holds the lock.
func (s *Store) publishIssued(promised []promise) error {
	var lines, others [][]byte // others' are those that dead processes may have listed
	err := s.look(func(tx *bbolt.Tx) error {
		for _, p := range promised {
			key := tx.Bucket(serialBucket).Get([]byte(p.Serial))
			if key == nil {
				continue // what was delivered is no certificate
			}
			r, err := decodeRecord(tx.Bucket(indexBucket).Get(key))
			if err != nil {
				return err
			}
			line, err := r.line()
			if err != nil {
				return err
			}
			switch {
			case r.Purpose.IsAuthority():
			case p.ours:
				lines = append(lines, line)
			default:
				others = append(others, line)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	path := s.endpoint(issuedFile)
	if len(others) > 0 {
		listed, err := tail(path, 2*len(bytes.Join(others, nil))+tailSlack)
		if err != nil {
			return fmt.Errorf("looking at what is listed for the endpoint: %w", err)
		}
		lines = append(lines, slices.DeleteFunc(others, func(line []byte) bool {
			return bytes.Contains(listed, append([]byte{'\n'}, line...))
		})...)
	}
	if len(lines) == 0 {
		return nil
	}
	if err := durable.Append(path, bytes.Join(lines, nil), 0o644); err != nil {
		return fmt.Errorf("listing the certificates for the endpoint: %w", err)
	}
	return nil
}

// line is what the endpoint's list says of a certificate: nothing of how people are reached, or of what lies on the desk.
func (r Record) line() ([]byte, error) {
	r.Contact, r.Mark, r.Families, r.Packages, r.Delivered, r.RevokeAt = "", "", nil, nil, time.Time{}, time.Time{}
	data, err := json.Marshal(r)
	return append(data, '\n'), err
}

// tailSlack is more than the lines that another process may have added since a kill and before the recovery.
const tailSlack = 64 << 10

// tail returns the last n bytes of a file, behind a newline where they are all of it. No file has no bytes.
func tail(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() <= int64(n) {
		data, err := io.ReadAll(f)
		return append([]byte{'\n'}, data...), err
	}
	data := make([]byte, n)
	_, err = f.ReadAt(data, info.Size()-int64(n))
	return data, err
}

// compose returns the files that are derived from the authorities and their revocation lists.
func (s *Store) compose(tx *bbolt.Tx) (map[string][]byte, error) {
	kept, err := getAuthorities(tx)
	if err != nil {
		return nil, err
	}
	a, err := kept.load(tx)
	if err != nil {
		return nil, err
	}
	var bundle, lists []byte
	for _, cert := range a.All() {
		bundle = append(bundle, encodeCertificate(cert.Raw)...)
		l, err := getList(tx, cert)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l.PEM...)
	}
	return map[string][]byte{x509File: lists, caFile: append(bundle, lists...)}, nil
}

// publish writes the derived files. Their sums are noted before, so that what another hand wrote is told from what we
// did. The caller holds the lock.
func (s *Store) publish() error {
	var files map[string][]byte
	err := s.change(func(tx *bbolt.Tx) error {
		var err error
		if files, err = s.compose(tx); err != nil {
			return err
		}
		return putPublished(tx.Bucket(metaBucket), files)
	})
	if err != nil {
		return fmt.Errorf("publishing the authorities: %w", err)
	}
	return s.writePublished(files)
}

func (s *Store) writePublished(files map[string][]byte) error {
	if err := durable.WriteFile(s.endpoint(x509File), files[x509File], 0o644); err != nil {
		return fmt.Errorf("publishing the revocation list: %w", err)
	}
	if err := durable.WriteFile(s.endpoint(caFile), files[caFile], 0o644); err != nil {
		return fmt.Errorf("publishing the authority's certificates: %w", err)
	}
	return nil
}

// keptList is an authority's last revocation list, as the ledger keeps it.
type keptList struct {
	Number *big.Int  `json:"number"`
	Made   time.Time `json:"made,omitzero"` // its thisUpdate; zero in ledgers that were written before it was kept
	PEM    []byte    `json:"pem"`
}

// getList returns an authority's last list; the zero keptList where it has signed none.
func getList(tx *bbolt.Tx, authority *x509.Certificate) (l keptList, err error) {
	data := tx.Bucket(listBucket).Get([]byte(crl.KeyID(authority)))
	if data == nil {
		return l, nil
	}
	if err := jsonv2.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("reading the last revocation list of %q: %w", authority.Subject.CommonName, err)
	}
	return l, nil
}

// made tells when a list was, the zero time where there is none.
func (l keptList) made() (time.Time, error) {
	if len(l.PEM) == 0 || !l.Made.IsZero() {
		return l.Made, nil
	}
	list, err := crl.ParseX509(l.PEM)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the last revocation list: %w", err)
	}
	return list.ThisUpdate, nil
}

// SignedList returns the last revocation list of one of the store's authorities in PEM; nothing where it signed none.
func (s *Store) SignedList(ctx context.Context, authority *x509.Certificate) ([]byte, error) {
	var list keptList
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		var err error
		list, err = getList(tx, authority)
		return err
	})
	return list.PEM, err
}

// putList keeps a list that is newer than the one kept.
func putList(tx *bbolt.Tx, l SignedList) error {
	parsed, err := crl.ParseX509(l.PEM)
	if err != nil {
		return err
	}
	kept, err := getList(tx, l.Authority)
	if err != nil {
		return err
	}
	number := parsed.Number
	if number == nil {
		number = new(big.Int)
	}
	if kept.Number != nil && number.Cmp(kept.Number) <= 0 {
		return nil
	}
	data, err := json.Marshal(keptList{Number: number, Made: parsed.ThisUpdate, PEM: l.PEM})
	if err != nil {
		return err
	}
	return tx.Bucket(listBucket).Put([]byte(crl.KeyID(l.Authority)), data)
}

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
	if p.Taken, p.SetAside, err = s.readBack(); err != nil {
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
	at, noted, err := s.signingTime(how.Urgent)
	if err != nil {
		return Publication{}, err
	}
	shares, last, err := s.share(authorities, standing.InForce)
	if err != nil {
		return Publication{}, err
	}
	lists := make([]SignedList, len(authorities))
	for i, a := range authorities {
		list, number, err := a.SignCRL(at, shares[i], last[i].Number, how.Days)
		if err != nil {
			return Publication{}, err
		}
		lists[i] = SignedList{Authority: a.Certificate(), PEM: list}
		p.Lists = append(p.Lists, Published{Authority: a.Certificate().Subject.CommonName, Entries: distinct(shares[i]), Number: number})
	}
	// The numbers are used up before the lists are seen anywhere, so that a kill can never make one come twice.
	var files map[string][]byte
	err = s.change(func(tx *bbolt.Tx) error {
		for i, l := range lists {
			if err := putList(tx, l); err != nil {
				return err
			}
			if err := s.record(tx, AuditEntry{Act: "sign-crl", Name: p.Lists[i].Authority,
				Detail: fmt.Sprintf("number %s, %d entries", p.Lists[i].Number, p.Lists[i].Entries) + remark(noted)}); err != nil {
				return err
			}
		}
		var err error
		if files, err = s.compose(tx); err != nil {
			return err
		}
		meta := tx.Bucket(metaBucket)
		if err := putPublished(meta, files); err != nil {
			return err
		}
		return putLists(tx, standing.text(standing.InForce), releases(crl.Missing(standing.InForce, standing.released)))
	})
	if err != nil {
		return Publication{}, fmt.Errorf("recording the revocation list: %w", err)
	}
	return p, s.writePublished(files)
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
// It returns each one's last list too.
func (s *Store) share(authorities []*ca.Authority, entries []crl.Entry) (shares [][]crl.Entry, last []keptList, err error) {
	shares, last = make([][]crl.Entry, len(authorities)), make([]keptList, len(authorities))
	err = s.look(func(tx *bbolt.Tx) error {
		kept, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		alone := kept.Current != "" && len(kept.Earlier)+len(kept.Roots) == 0
		ids, made := make([]string, len(authorities)), map[string]time.Time{}
		for i, a := range authorities {
			ids[i] = crl.KeyID(a.Certificate())
			if last[i], err = getList(tx, a.Certificate()); err != nil {
				return err
			}
			if made[ids[i]], err = last[i].made(); err != nil {
				return err
			}
		}
		find := validities(tx)
		for _, e := range entries {
			v, known := find(e.Serial.String())
			if known && v.lapsed(e, made[v.Issuer]) {
				continue
			}
			issuer := e.Issuer
			if issuer == "" && known && !alone {
				issuer = v.Issuer
			}
			for i := range shares {
				if issuer == "" || issuer == ids[i] {
					shares[i] = append(shares[i], e)
				}
			}
		}
		return nil
	})
	return shares, last, err
}

// readBack looks at ca.pem before it is overwritten. A FreeTAKServer that revokes signs its list into that file, with
// the authority's key and without raising the list's number, and nowhere else: those entries are returned. Any other
// change is kept in a file of its own, whose name is returned. The caller holds the lock.
func (s *Store) readBack() (taken []crl.Entry, setAside string, err error) {
	path := s.endpoint(caFile)
	data, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("looking at what is published: %w", err)
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
		return nil, "", fmt.Errorf("looking at what was last published: %w", err)
	}
	if sumIs(data, published[caFile]) {
		return nil, "", nil
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
		taken = append(taken, list.Entries...)
	}
	standing, err := s.standing(nil)
	if err != nil {
		return nil, "", err
	}
	// It may be a list from before something was removed, with an entry of another program's.
	if taken = crl.Except(crl.Missing(standing.InForce, taken), standing.released); !foreign {
		return taken, "", nil
	}
	setAside, err = s.setAside(caFile, data, "changed")
	return taken, setAside, err
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

// putPublished notes the SHA-256 of what is about to be published.
func putPublished(meta *bbolt.Bucket, files map[string][]byte) error {
	sums := map[string]string{}
	for name, data := range files {
		sum := sha256.Sum256(data)
		sums[name] = hex.EncodeToString(sum[:])
	}
	data, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return meta.Put(publishedKey, data)
}
