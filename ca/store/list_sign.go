package store

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
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

// sortUnsigned parts what is in force and on no signed list into what waits for one; what was on one and is no more, as
// its certificate has expired; and what is about an authority that is none of ours.
func (s *Store) sortUnsigned(st *Standing, signed []crl.Entry) {
	serials := make(map[crl.Serial]struct{}, len(signed))
	for _, e := range signed {
		serials[e.Serial] = struct{}{}
	}
	ours := map[string]bool{"": true}
	cas := s.published()
	for _, c := range cas {
		ours[crl.KeyID(c)] = true
	}
	var missing []crl.Entry
	for _, e := range st.InForce {
		if _, ok := serials[e.Serial]; ok {
			continue
		}
		if len(cas) > 0 && !ours[e.Issuer] {
			st.Foreign = append(st.Foreign, e)
		} else {
			missing = append(missing, e)
		}
	}
	if len(missing) == 0 || len(st.Signed) == 0 {
		st.Unsigned = missing
		return
	}
	made := map[string]time.Time{}
	for _, l := range st.Signed {
		made[hex.EncodeToString(l.AuthorityKeyID)] = l.ThisUpdate
	}
	part := func(of func(serial string) (validity, bool)) {
		for _, e := range missing {
			if v, ok := of(e.Serial.String()); ok && v.lapsed(e, made[v.Issuer]) {
				st.Lapsed = append(st.Lapsed, e)
			} else {
				st.Unsigned = append(st.Unsigned, e)
			}
		}
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

// signedEntries are those of all the lists.
func signedEntries(lists []*crl.X509) []crl.Entry {
	if len(lists) == 1 {
		return lists[0].Entries
	}
	var all []crl.Entry
	for _, l := range lists {
		all = append(all, l.Entries...)
	}
	return all
}

// published are the authorities of ca.pem, by which an endpoint judges; none where it cannot be read.
func (s *Store) published() []*x509.Certificate {
	data, err := readRegular(s.endpoint(caFile))
	if err != nil {
		return nil
	}
	var cas []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			cas = append(cas, cert)
		}
	}
	return cas
}

// certified leaves the entries that one of the lists has with the signature of an authority in ca.pem.
func (s *Store) certified(entries []crl.Entry, lists []*crl.X509) []crl.Entry {
	cas := s.published()
	signed := set{}
	for _, l := range lists {
		if slices.ContainsFunc(cas, func(c *x509.Certificate) bool { return l.CheckSignature(c) == nil }) {
			for _, e := range l.Entries {
				signed[keyOf(e)] = true
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

// distinct counts serials: an entry for one authority and one for all are the same on a signed list.
func distinct(entries []crl.Entry) int {
	if !slices.ContainsFunc(entries, func(e crl.Entry) bool { return e.Issuer != "" }) {
		return len(entries)
	}
	serials := make(map[crl.Serial]struct{}, len(entries))
	for _, e := range entries {
		serials[e.Serial] = struct{}{}
	}
	return len(serials)
}
