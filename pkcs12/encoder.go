package pkcs12

import (
	"fmt"

	sslmate "software.sslmate.com/src/go-pkcs12"
)

// Profile names the algorithms of a file, and so who can open it. The zero Profile is [TAK].
type Profile string

const (
	// TAK is what every known TAK client, Android since 9, iOS, Windows, Java and OpenSSL 3 without -legacy open:
	// three-key triple DES for key and certificates, derived with SHA-1, and an HMAC-SHA-1. It holds nobody off who
	// can guess the password: give random ones.
	TAK Profile = "tak"
	// Modern is AES-256-CBC with PBKDF2-HMAC-SHA-256 (PBES2, RFC 8018) for key and certificates, and an HMAC-SHA-256.
	// Android before 10, older iOS and ATAK's own Java code do not open it.
	Modern Profile = "modern"
)

// Profiles returns every profile, the usual one first.
func Profiles() []Profile { return []Profile{TAK, Modern} }

// ParseProfile returns the profile of that name. The error lists the names.
func ParseProfile(s string) (Profile, error) {
	for _, p := range Profiles() {
		if s == string(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("p12 profile %q is none of %s, %s", s, TAK, Modern)
}

const (
	// defaultIterations is what openssl pkcs12 -export takes, and so what devices meet every day.
	defaultIterations = 2048
	// maxIterations is the most that Java and BouncyCastle, and so Android, derive before they refuse the file.
	maxIterations = 5_000_000
)

// Encoder writes PKCS #12 files. It is safe for concurrent use. The zero Encoder is that of [TAK].
type Encoder struct {
	profile    Profile
	iterations int
}

// NewEncoder returns the encoder of a profile, with so many rounds of key derivation (for encryption and MAC alike),
// 1 to 5,000,000, which is the most that Java and Android take. 0 stands for the profile's own, 2048. An unknown
// profile or another number of rounds is an error of the methods.
func NewEncoder(p Profile, iterations int) Encoder {
	return Encoder{profile: p, iterations: iterations}
}

func (e Encoder) form() (*sslmate.Encoder, error) {
	n := e.iterations
	if n == 0 {
		n = defaultIterations
	}
	if n < 1 || n > maxIterations {
		return nil, fmt.Errorf("%d rounds of key derivation: 1 to %d can be read by devices", n, maxIterations)
	}
	switch e.profile {
	case TAK, "":
		return sslmate.LegacyDES.WithIterations(n), nil
	case Modern:
		return sslmate.Modern2023.WithIterations(n), nil
	}
	_, err := ParseProfile(string(e.profile))
	return nil, err
}
