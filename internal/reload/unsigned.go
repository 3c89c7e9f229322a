package reload

import (
	"crypto/x509"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/ftsca/ftsca/crl"
)

// serials are those of a signed list, in eight octets each: of a million, the serials themselves have five times as much.
// Two with one hash would hide that a list lacks one of them, and change nothing that is in force.
type serials struct {
	hashes []uint64
	sort   sync.Once
}

func (s *serials) has(hash uint64) bool {
	s.sort.Do(func() { slices.Sort(s.hashes) })
	_, found := slices.BinarySearch(s.hashes, hash)
	return found
}

// unsigned is what Report.Unsigned needs, none of which changes any more.
type unsigned struct {
	seed    maphash.Seed
	inForce []crl.Entry
	given   []crl.Entry
	signed  []*serials
	cas     []*x509.Certificate
}

func (r *list) unsigned(cas []*x509.Certificate) unsigned {
	u := unsigned{seed: r.seed, inForce: r.inForce, given: r.givenEntries, cas: cas}
	for _, of := range r.signed {
		for _, t := range of.taken {
			u.signed = append(u.signed, t.serials)
		}
	}
	return u
}

// Unsigned returns the revocations in force that no list in FTS_CRL.pem or ca.pem has, and no further list: what other
// servers do not know yet, and what they need no more since its certificate has expired. Those about authorities that are
// none of ca.pem's are on no list of ours, and left out. It takes a while where there are many, and may be called beside
// all else. What it returns must not be changed.
func (r Report) Unsigned() []crl.Entry {
	u := r.unsigned
	ours := map[string]bool{"": true}
	for _, ca := range u.cas {
		ours[crl.KeyID(ca)] = true
	}
	lacks := func(e crl.Entry) bool {
		if !ours[e.Issuer] {
			return false
		}
		hash := maphash.Comparable(u.seed, e.Serial)
		return !slices.ContainsFunc(u.signed, func(s *serials) bool { return s.has(hash) })
	}
	left := u.inForce
	// Mostly none is signed, or nearly all are: no copy is made of the former.
	if first := slices.IndexFunc(left, func(e crl.Entry) bool { return !lacks(e) }); first >= 0 {
		left = slices.Clone(u.inForce[:first])
		for _, e := range u.inForce[first:] {
			if lacks(e) {
				left = append(left, e)
			}
		}
	}
	if len(u.given) > 0 {
		left = crl.Missing(u.given, left)
	}
	return left
}
