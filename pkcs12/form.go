package pkcs12

import (
	"fmt"
	"slices"
	"strings"
)

// Form tells how a file is protected, as far as can be seen without its password.
type Form struct {
	// Ciphers are the names of the ciphers, as "3DES", "RC2-40", "AES-256", each once; none where nothing is encrypted.
	Ciphers []string
	// MAC is the hash of the MAC, as "SHA-1" or "PBMAC1 SHA-256"; "" where there is none.
	MAC string
	// Rounds are the numbers of rounds of key derivation, each once.
	Rounds []int
}

// Inspect reads how a file is protected. What [ReadIdentity] and [ReadTrustStore] refuse for its form or its costs is an
// error here too, a missing MAC excepted. Whatever the password reveals is not judged.
func Inspect(data []byte) (Form, error) {
	r := &reader{limits: usual()}
	if _, err := r.parse(data); err != nil {
		return Form{}, err
	}
	return r.form, nil
}

// String is the form in words: "3DES, SHA-1 MAC, 2048 rounds".
func (f Form) String() string {
	ciphers, mac, rounds := "not encrypted", "no MAC", ""
	if len(f.Ciphers) > 0 {
		ciphers = strings.Join(f.Ciphers, " and ")
	}
	if f.MAC != "" {
		mac = f.MAC + " MAC"
	}
	for i, n := range f.Rounds {
		switch {
		case i == 0:
			rounds = fmt.Sprintf(", %d", n)
		default:
			rounds += fmt.Sprintf(" and %d", n)
		}
	}
	if rounds != "" {
		rounds += " rounds"
	}
	return ciphers + ", " + mac + rounds
}

func (f *Form) addCipher(name string) {
	if !slices.Contains(f.Ciphers, name) {
		f.Ciphers = append(f.Ciphers, name)
	}
}

// addRounds keeps a handful, and so the words short, whatever a file holds.
func (f *Form) addRounds(n int) {
	if !slices.Contains(f.Rounds, n) && len(f.Rounds) < 8 {
		f.Rounds = append(f.Rounds, n)
	}
}
