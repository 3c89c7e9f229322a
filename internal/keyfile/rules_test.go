package keyfile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/testpki"
)

// modulus returns the smallest number of so many bits that the rules have nothing against.
func modulus(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	for smallest(n.Add(n, big.NewInt(1))) != 0 {
	}
	return n
}

// smallest returns the smallest factor of n from 2 to 751, or zero where it has none there.
func smallest(n *big.Int) int64 {
	for f := int64(2); f < 752; f++ {
		if new(big.Int).Mod(n, big.NewInt(f)).Sign() == 0 {
			return f
		}
	}
	return 0
}

// from returns the first number from n+2^more on that passes for a prime here.
func from(n *big.Int, more uint) *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), more)
	for p.Add(p, n).SetBit(p, 0, 1); smallest(p) != 0; p.Add(p, big.NewInt(2)) {
	}
	return p
}

// point returns a key on P-256 with coordinates that no function of the library would make.
func point(x, y *big.Int) *ecdsa.PublicKey {
	//lint:ignore SA1019 there is no other way to a key that is no point
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
}

func TestWeakOrOddKeysAreNotCertified(t *testing.T) {
	onCurve := func(curve elliptic.Curve) crypto.PublicKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key.Public()
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const exponents = ": 65537 to 2147483647 are taken"
	const curves = "an ECDSA key on another curve than P-256 or P-384, which devices do not share"
	tests := []struct {
		name string
		key  crypto.PublicKey
		want string
	}{
		{"RSA of 1024 bits", &rsa.PublicKey{N: modulus(1024), E: 65537}, "an RSA key of 1024 bits: 2048 to 8192 are taken"},
		{"RSA of 2047 bits", &rsa.PublicKey{N: modulus(2047), E: 65537}, "an RSA key of 2047 bits: 2048 to 8192 are taken"},
		{"RSA of 2048 bits", &rsa.PublicKey{N: modulus(2048), E: 65537}, ""},
		{"RSA of 3000 bits", &rsa.PublicKey{N: modulus(3000), E: 65537}, ""},
		{"RSA of 8192 bits", &rsa.PublicKey{N: modulus(8192), E: 65537}, ""},
		{"RSA of 8193 bits", &rsa.PublicKey{N: modulus(8193), E: 65537}, "an RSA key of 8193 bits: 2048 to 8192 are taken"},
		{"RSA of 16384 bits", &rsa.PublicKey{N: modulus(16384), E: 65537}, "an RSA key of 16384 bits: 2048 to 8192 are taken"},
		{"RSA without a modulus", &rsa.PublicKey{}, "an RSA key of 0 bits: 2048 to 8192 are taken"},
		{"RSA with a negative modulus", &rsa.PublicKey{N: new(big.Int).Neg(modulus(2048)), E: 65537}, "an RSA key of 0 bits: 2048 to 8192 are taken"},
		{"RSA with an even modulus", &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, "an RSA key with an even modulus is none"},
		{"RSA that is nil", (*rsa.PublicKey)(nil), "an RSA key of 0 bits: 2048 to 8192 are taken"},
		{"exponent 0", &rsa.PublicKey{N: modulus(2048)}, "an RSA key with the exponent 0" + exponents},
		{"exponent 1", &rsa.PublicKey{N: modulus(2048), E: 1}, "an RSA key with the exponent 1" + exponents},
		{"exponent 3", &rsa.PublicKey{N: modulus(2048), E: 3}, "an RSA key with the exponent 3" + exponents},
		{"exponent 65535", &rsa.PublicKey{N: modulus(2048), E: 65535}, "an RSA key with the exponent 65535" + exponents},
		{"exponent below zero", &rsa.PublicKey{N: modulus(2048), E: -65537}, "an RSA key with the exponent -65537" + exponents},
		{"exponent 65538", &rsa.PublicKey{N: modulus(2048), E: 65538}, "an RSA key with the even exponent 65538 is none"},
		{"exponent 65539", &rsa.PublicKey{N: modulus(2048), E: 65539}, ""},
		{"exponent 2^31-1", &rsa.PublicKey{N: modulus(2048), E: 1<<31 - 1}, ""},
		{"P-256", onCurve(elliptic.P256()), ""},
		{"P-384", onCurve(elliptic.P384()), ""},
		{"P-224", onCurve(elliptic.P224()), curves},
		{"P-521", onCurve(elliptic.P521()), curves},
		{"a curve of another's making", &ecdsa.PublicKey{Curve: elliptic.P256().Params(), X: big.NewInt(1), Y: big.NewInt(1)}, curves}, //lint:ignore SA1019 as above
		{"a point beside the curve", point(big.NewInt(1), big.NewInt(1)), "an ECDSA key that is no point of its curve: P256 point not on curve"},
		{"no curve", func() *ecdsa.PublicKey { k := point(big.NewInt(1), big.NewInt(1)); k.Curve = nil; return k }(), curves},
		{"no point", &ecdsa.PublicKey{Curve: elliptic.P256()}, "an ECDSA key without a point is none"},
		{"half a point", point(big.NewInt(1), nil), "an ECDSA key without a point is none"},
		{"the point at infinity", point(new(big.Int), new(big.Int)), "an ECDSA key that is no point of its curve: P256 point not on curve"},
		{"a point below zero", point(big.NewInt(-1), big.NewInt(1)), "an ECDSA key that is no point of its curve: negative coordinate"},
		{"a point beyond the field", point(modulus(300), big.NewInt(1)), "an ECDSA key that is no point of its curve: overflowing coordinate"},
		{"ECDSA that is nil", (*ecdsa.PublicKey)(nil), "an ECDSA key without a point is none"},
		{"Ed25519", edwards, "a key of the type ed25519.PublicKey: RSA and ECDSA are taken"},
		{"a key by value", rsa.PublicKey{N: modulus(2048), E: 65537}, "a key of the type rsa.PublicKey: RSA and ECDSA are taken"},
		{"nothing", nil, "a key of the type <nil>: RSA and ECDSA are taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := keyfile.CheckPublic(tt.key); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestKeysThatAnybodyCanFactorAreNotCertified(t *testing.T) {
	key := func(n *big.Int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: 65537} }
	times := func(n *big.Int, f int64) *big.Int { return new(big.Int).Mul(n, big.NewInt(f)) }
	random := func(bits int) *big.Int {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// In the first round of Fermat's method a is the root of n, rounded up, in the last one it is (p+q)/2.
	rounds := func(n, p, q *big.Int) int64 {
		middle := new(big.Int).Rsh(new(big.Int).Add(p, q), 1)
		root := new(big.Int).Sqrt(n)
		if new(big.Int).Mul(root, root).Cmp(n) != 0 {
			root.Add(root, big.NewInt(1))
		}
		return middle.Sub(middle, root).Int64() + 1
	}
	// The product of p and q takes about (q-p)²/8p rounds.
	after := func(wanted int64) *big.Int {
		for {
			p := random(1024)
			q := from(new(big.Int).Add(p, new(big.Int).Sqrt(times(p, 8*(wanted-1)+4))), 0)
			if n := new(big.Int).Mul(p, q); rounds(n, p, q) == wanted {
				return n
			}
		}
	}
	p := random(1024)
	const together = "an RSA key whose two primes lie so close together is broken (CVE-2022-26320): make a new one"
	const divided = "an RSA key whose modulus can be divided by "
	const broken = " is broken: make a new one"
	const roca = "an RSA key of a chip with the ROCA flaw is broken (CVE-2017-15361): make a new one, outside the chip"
	tests := []struct {
		name string
		n    *big.Int
		want string
	}{
		{"a prime and the next", new(big.Int).Mul(p, from(p, 1)), together},
		{"a square", new(big.Int).Mul(p, p), together},
		{"primes of 1024 bits, 2^500 apart", new(big.Int).Mul(p, from(p, 500)), together},
		{"primes of 2048 bits, 2^1000 apart", new(big.Int).Mul(modulus(2048), from(modulus(2048), 1000)), together},
		{"the hundredth round of Fermat", after(100), together},
		{"the first round that is not tried", after(101), ""},
		{"the factor 3", times(modulus(2048), 3), divided + "3" + broken},
		{"the factor 751", times(modulus(2048), 751), divided + "751" + broken},
		{"two small factors", times(times(modulus(2048), 7), 11), divided + "77" + broken},
		{"the factor 757, the first that is not looked for", times(modulus(2048), 757), ""},
		{"a key of a flawed chip", flawed(), roca},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := keyfile.CheckPublic(key(tt.n)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestMarkOfAFlawedChipIsThatOfAPowerOf65537(t *testing.T) {
	odds := 1.0
	for _, g := range keyfile.ROCAGroups() {
		powers := map[uint64]bool{}
		for x := uint64(1); !powers[x]; x = x * 65537 % g.Prime {
			powers[x] = true
		}
		for x := range g.Prime {
			power := new(big.Int).Exp(new(big.Int).SetUint64(x), new(big.Int).SetUint64(g.Order), new(big.Int).SetUint64(g.Prime))
			if (power.Cmp(big.NewInt(1)) == 0) != powers[x] {
				t.Errorf("modulo %d, %d", g.Prime, x)
			}
		}
		odds *= float64(len(powers)) / float64(g.Prime-1)
	}
	if odds > 1.0/(1<<27) {
		t.Errorf("one in %.0f keys would be taken for one of a flawed chip", 1/odds)
	}
}

// flawed returns a modulus as the library of CVE-2017-15361 makes them: both factors are k·M + (65537^a mod M), where M is
// the product of the first 126 primes (Nemec et al., The Return of Coppersmith's Attack, 2017, section 2.1).
func flawed() *big.Int {
	m, count := big.NewInt(1), 0
	for n := int64(2); count < 126; n++ {
		if p := big.NewInt(n); p.ProbablyPrime(0) {
			m.Mul(m, p)
			count++
		}
	}
	prime := func(exponent int64) *big.Int {
		p := new(big.Int).Lsh(big.NewInt(3), uint(1022-m.BitLen()))
		return p.Mul(p, m).Add(p, new(big.Int).Exp(big.NewInt(65537), big.NewInt(exponent), m))
	}
	return new(big.Int).Mul(prime(123456789), prime(987654321))
}

// BenchmarkCheckPublic runs what every load of a key and every request costs.
func BenchmarkCheckPublic(b *testing.B) {
	for _, bits := range []uint{2048, 4096, 8192} {
		b.Run(fmt.Sprintf("rsa-%d", bits), func(b *testing.B) {
			key := &rsa.PublicKey{N: modulus(bits), E: 65537}
			for b.Loop() {
				if err := keyfile.CheckPublic(key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestEveryAlgorithmMakesKeysThatAreCertified(t *testing.T) {
	bits := map[keyfile.Algorithm]int{keyfile.RSA2048: 2048, keyfile.RSA3072: 3072, keyfile.RSA4096: 4096, keyfile.ECDSAP256: 256, keyfile.ECDSAP384: 384}
	for _, a := range keyfile.Algorithms() {
		if a == keyfile.RSA4096 && testing.Short() {
			continue
		}
		if parsed, err := keyfile.ParseAlgorithm(string(a)); parsed != a || err != nil {
			t.Errorf("%s is parsed as %q, %v", a, parsed, err)
		}
		key, err := keyfile.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := keyfile.CheckPublic(key.Public()); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		got := 0
		switch k := key.Public().(type) {
		case *rsa.PublicKey:
			got = k.N.BitLen()
		case *ecdsa.PublicKey:
			got = k.Curve.Params().BitSize
		}
		if got != bits[a] {
			t.Errorf("%s: a key of %d bits", a, got)
		}
	}
}

func TestAlgorithmIsOneOfTheList(t *testing.T) {
	for _, name := range []string{"rsa-1024", "", "RSA-2048", "rsa-2048 ", "rsa2048", "ed25519", "p256"} {
		want := `key algorithm "` + name + `" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`
		if _, err := keyfile.ParseAlgorithm(name); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if key, err := keyfile.Generate(keyfile.Algorithm(name)); err == nil || err.Error() != want || key != nil {
			t.Errorf("Generate: %v, %v\nwant %s", key, err, want)
		}
	}
}

func TestAKeyMatchesItsOwnCertificateAlone(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Rescue CA")
	other := testpki.NewRoot(t, "Another CA")
	long, err := keyfile.Generate(keyfile.RSA2048)
	if err != nil {
		t.Fatal(err)
	}
	withRSA := root.Leaf(t, "alice", testpki.Key(long)).Leaf
	const differs = "the key is not the certificate's"
	for _, tt := range []struct {
		name string
		key  crypto.Signer
		cert *x509.Certificate
		want string
	}{
		{"its own", root.Key, root.Cert, ""},
		{"its own, RSA", long, withRSA, ""},
		{"another's", root.Key, other.Cert, differs},
		{"one of another kind", root.Key, withRSA, differs},
		{"RSA and one of another kind", long, root.Cert, differs},
		{"a certificate whose key nobody knows", root.Key, &x509.Certificate{}, differs},
		{"no key", nil, root.Cert, "there is no key"},
		{"no certificate", root.Key, nil, "there is no certificate"},
	} {
		got := ""
		if err := keyfile.Match(tt.key, tt.cert); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
