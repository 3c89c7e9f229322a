package store

import (
	"crypto/x509"
	"encoding/hex"
	"iter"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// An entry of an expired certificate is signed once more after its end, and then no longer (RFC 5280, 3.3). FTS_CRL.json
// keeps it: it costs nothing there, and a clock may go wrong.

// SignedFile returns the path of the signed X.509 lists, in PEM.
func (s *Store) SignedFile() string { return s.endpoint(x509File) }

// validity is what of a record matters here.
type validity struct {
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"not_after"`
}

// signedLists reads the published X.509 lists; what cannot be read of them has signed nothing.
func (s *Store) signedLists() (lists []*crl.X509) {
	for _, block := range readPEM(s.endpoint(x509File), func(string) bool { return true }) {
		if list, err := crl.ParseX509Head(block.Bytes); err == nil {
			lists = append(lists, list)
		}
	}
	return lists
}

// entriesOn goes through the entries of a list, which then name their issuer.
func entriesOn(list *crl.X509) iter.Seq[crl.Entry] {
	issuer := hex.EncodeToString(list.AuthorityKeyID)
	return func(yield func(crl.Entry) bool) {
		for e := range list.All() {
			if e.Issuer = issuer; !yield(e) {
				return
			}
		}
	}
}

// onLists tells of each entry in force whether its serial is on a signed list. All other questions about the signed lists
// are answered by the odd serials alone: those that are signed and not in force, or for another authority, and those that
// were removed.
func (st *Standing) onLists() (isSigned []bool, odd map[crl.Serial]struct{}) {
	isSigned, odd = make([]bool, len(st.InForce)), map[crl.Serial]struct{}{}
	if len(st.Signed) == 0 {
		return isSigned, odd
	}
	for _, e := range st.released {
		odd[e.Serial] = struct{}{}
	}
	first := make(map[crl.Serial]int, len(st.InForce))
	for i, e := range st.InForce {
		if _, ok := first[e.Serial]; !ok {
			first[e.Serial] = i
		}
	}
	for _, l := range st.Signed {
		for e := range entriesOn(l) {
			i, ok := first[e.Serial]
			if ok {
				isSigned[i] = true
			}
			if !ok || st.InForce[i].Issuer != "" && st.InForce[i].Issuer != e.Issuer {
				odd[e.Serial] = struct{}{}
			}
		}
	}
	for i, e := range st.InForce {
		isSigned[i] = isSigned[first[e.Serial]]
	}
	return isSigned, odd
}

// signedOf returns what the signed lists have of the serials.
func (st *Standing) signedOf(serials map[crl.Serial]struct{}) (signed []crl.Entry) {
	if len(serials) == 0 {
		return nil
	}
	for _, l := range st.Signed {
		for e := range entriesOn(l) {
			if _, ok := serials[e.Serial]; ok {
				signed = append(signed, e)
			}
		}
	}
	return signed
}

// only leaves the entries of the serials.
func only(entries []crl.Entry, serials map[crl.Serial]struct{}) (left []crl.Entry) {
	if len(serials) == 0 {
		return nil
	}
	for _, e := range entries {
		if _, ok := serials[e.Serial]; ok {
			left = append(left, e)
		}
	}
	return left
}

// sortUnsigned parts what is in force and on no signed list into what waits for one; what was on one and is no more, as
// its certificate has expired; and what is about an authority that is none of ours, which are in cas.
func (s *Store) sortUnsigned(st *Standing, isSigned []bool, cas []*x509.Certificate) {
	ours := map[string]bool{"": true}
	for _, c := range cas {
		ours[crl.KeyID(c)] = true
	}
	made := map[string]time.Time{}
	for _, l := range st.Signed {
		made[hex.EncodeToString(l.AuthorityKeyID)] = l.ThisUpdate
	}
	rest := subset{of: st.InForce}
	for i, e := range st.InForce {
		foreign := len(cas) > 0 && !ours[e.Issuer]
		_, signs := made[e.Issuer]
		// Its serial may be on a list of ours, for one of our own certificates.
		if foreign && !(isSigned[i] && signs) {
			st.Foreign = append(st.Foreign, e)
		}
		rest.take(!foreign && !isSigned[i])
	}
	missing := rest.entries()
	if len(missing) == 0 || len(st.Signed) == 0 {
		st.Unsigned = missing
		return
	}
	part := func(of func(serial string) (validity, bool)) {
		unsigned := subset{of: missing}
		for _, e := range missing {
			v, ok := of(e.Serial.String())
			lapsed := ok && v.lapsed(e, made[v.Issuer])
			if lapsed {
				st.Lapsed = append(st.Lapsed, e)
			}
			unsigned.take(!lapsed)
		}
		st.Unsigned = unsigned.entries()
	}
	unknown := func(string) (validity, bool) { return validity{}, false }
	if s.authority {
		if err := s.look(func(tx *bbolt.Tx) error {
			part(validities(tx))
			return nil
		}); err != nil {
			st.Unsigned, st.Lapsed = nil, nil
			part(unknown)
		}
		return
	}
	records, _ := s.issued()
	known := make(map[string]validity, len(records))
	for _, r := range records {
		known[r.Serial] = validity{r.Issuer, r.NotAfter}
	}
	part(func(serial string) (validity, bool) {
		v, ok := known[serial]
		return v, ok
	})
}

// validities looks up certificates of the ledger by their serials.
func validities(tx *bbolt.Tx) func(serial string) (validity, bool) {
	index, serials := tx.Bucket(indexBucket), tx.Bucket(serialBucket)
	return func(serial string) (v validity, ok bool) {
		key := serials.Get([]byte(serial))
		if key == nil {
			return v, false
		}
		return v, jsonv2.Unmarshal(index.Get(key), &v) == nil
	}
}

// lapsed tells whether a list made at that time, the last one, was made after the certificate's end.
func (v validity) lapsed(e crl.Entry, made time.Time) bool {
	return (e.Issuer == "" || e.Issuer == v.Issuer) && !v.NotAfter.IsZero() && made.After(v.NotAfter)
}

// Published returns the authorities of ca.pem, by which an endpoint judges; none where it cannot be read.
func (s *Store) Published() (cas []*x509.Certificate) {
	for _, block := range readPEM(s.endpoint(caFile), func(kind string) bool { return kind == "CERTIFICATE" }) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			cas = append(cas, cert)
		}
	}
	return cas
}

// certified leaves the entries that one of the lists has with the signature of an authority in cas.
func certified(entries []crl.Entry, lists []*crl.X509, cas []*x509.Certificate) []crl.Entry {
	asked, signed := setOf(entries), set{}
	for _, l := range lists {
		if slices.ContainsFunc(cas, func(c *x509.Certificate) bool { return l.CheckSignature(c) == nil }) {
			for e := range entriesOn(l) {
				if asked.has(e) {
					signed[keyOf(e)] = true
				}
			}
		}
	}
	var left []crl.Entry
	for _, e := range entries {
		if signed.has(e) {
			left = append(left, e)
		}
	}
	return left
}
