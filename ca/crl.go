package ca

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"math/big"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// DefaultCRLDays is how long a signed revocation list is valid when nothing else is said. It is read from a local file,
// so a short life would gain nothing, and a list that lapses locks everyone out of a FreeTAKServer.
const DefaultCRLDays = 365

// SignCRL signs the X.509 form of the entries as a PEM block, valid for the given days from now (zero: [DefaultCRLDays]).
// The number is made from the time and is above last, the highest published before; nil means none was.
// It returns the number with the list.
func (a *Authority) SignCRL(now time.Time, entries []crl.Entry, last *big.Int, days int) (pem []byte, number *big.Int, err error) {
	if days == 0 {
		days = DefaultCRLDays
	}
	if days < 1 || days > maxDays {
		return nil, nil, fmt.Errorf("a revocation list is valid for 1 to %d days, not %d", maxDays, days)
	}
	number = big.NewInt(now.UnixNano())
	now = now.UTC().Truncate(time.Second)
	from := now.Add(-setBack)
	if from.Before(a.cert.NotBefore) {
		from = a.cert.NotBefore
	}
	if last != nil && number.Cmp(last) <= 0 {
		number = new(big.Int).Add(last, big.NewInt(1))
	}
	der, err := crl.Sign(crl.Template{
		Entries:    entries,
		Number:     number,
		ThisUpdate: from,
		NextUpdate: now.Add(time.Duration(days) * day),
	}, a.cert, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the revocation list: %w", err)
	}
	return crl.EncodePEM(der), number, nil
}

func isRSA(public crypto.PublicKey) bool {
	_, ok := public.(*rsa.PublicKey)
	return ok
}
