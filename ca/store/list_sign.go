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

// validity is what of a record matters here.
type validity struct {
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"not_after"`
}

// unsigned parts what is in force and on no signed list into what waits for one and what was on one and is no more, as
// its certificates have expired.
func (s *Store) unsigned(inForce, signed []crl.Entry, lists []*crl.X509) (waiting, lapsed []crl.Entry) {
	serials := make(map[crl.Serial]struct{}, len(signed))
	for _, e := range signed {
		serials[e.Serial] = struct{}{}
	}
	var missing []crl.Entry
	for _, e := range inForce {
		if _, ok := serials[e.Serial]; !ok {
			missing = append(missing, e)
		}
	}
	if len(missing) == 0 || len(lists) == 0 {
		return missing, nil
	}
	made := map[string]time.Time{}
	for _, l := range lists {
		made[hex.EncodeToString(l.AuthorityKeyID)] = l.ThisUpdate
	}
	part := func(of func(serial string) (validity, bool)) {
		for _, e := range missing {
			if v, ok := of(e.Serial.String()); ok && v.lapsed(e, made[v.Issuer]) {
				lapsed = append(lapsed, e)
			} else {
				waiting = append(waiting, e)
			}
		}
	}
	if s.authority {
		if err := s.look(func(tx *bbolt.Tx) error {
			part(validities(tx))
			return nil
		}); err != nil {
			return missing, nil
		}
		return waiting, lapsed
	}
	records, err := s.issued()
	if err != nil {
		return missing, nil
	}
	known := make(map[string]validity, len(records))
	for _, r := range records {
		known[r.Serial] = validity{r.Issuer, r.NotAfter}
	}
	part(func(serial string) (validity, bool) {
		v, ok := known[serial]
		return v, ok
	})
	return waiting, lapsed
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

// certified leaves the entries that one of the lists has with the signature of an authority in ca.pem, as an endpoint
// judges.
func (s *Store) certified(entries []crl.Entry, lists []*crl.X509) []crl.Entry {
	data, err := readRegular(s.endpoint(caFile))
	if err != nil {
		return nil
	}
	var cas []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			cas = append(cas, cert)
		}
	}
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
