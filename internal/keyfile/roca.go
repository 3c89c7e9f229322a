package keyfile

import "math/big"

// rocaGroups are small primes modulo which few numbers are powers of 65537: those whose power of the order is 1.
var rocaGroups = [...]struct{ order, prime uint64 }{
	{2, 11}, {6, 13}, {8, 17}, {9, 19}, {3, 37}, {26, 53}, {20, 61}, {35, 71}, {24, 73}, {13, 79}, {6, 97}, {51, 103},
	{53, 107}, {54, 109}, {42, 127}, {50, 151}, {78, 157},
}

// isOfFlawedChip tells whether n has the mark of CVE-2017-15361: modulo every small prime it is a power of 65537, as one
// in 2^27 other numbers is modulo all of these (Nemec et al., The Return of Coppersmith's Attack, 2017, section 2.2).
func isOfFlawedChip(n *big.Int) bool {
	for _, g := range rocaGroups {
		rest := new(big.Int).Mod(n, new(big.Int).SetUint64(g.prime)).Uint64()
		power := uint64(1)
		for range g.order {
			power = power * rest % g.prime
		}
		if power != 1 {
			return false
		}
	}
	return true
}
