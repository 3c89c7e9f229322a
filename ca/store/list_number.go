package store

import (
	"crypto/x509"
	"math/big"

	"github.com/ftsca/ftsca/crl"
)

// numbers are lists that others may have signed with an authority's key, for the sake of their numbers.
type numbers []*crl.X509

// longestNumber leaves room above a number within the 20 octets of RFC 5280, 5.2.3: one that leaves none would stop all
// signing.
const longestNumber = 20*8 - 2

// highest returns the highest number of an authority's lists: last, which the ledger has, or that of a list of the
// numbers or of those published, as far as the authority signed it.
func (n numbers) highest(authority *x509.Certificate, published []*crl.X509, last *big.Int) *big.Int {
	for _, lists := range []numbers{n, published} {
		for _, l := range lists {
			if l.Number == nil || l.Number.BitLen() > longestNumber || last != nil && l.Number.Cmp(last) <= 0 {
				continue
			}
			if l.CheckSignature(authority) == nil {
				last = l.Number
			}
		}
	}
	return last
}
