package pkcs12

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// maxFriendlyName bounds what a device shows of a name, in characters.
const maxFriendlyName = 100

// Describe names a certificate for a message: its common name, else its whole subject, else its fingerprint.
func Describe(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return fmt.Sprintf("%q", c.Subject.CommonName)
	case c.Subject.String() != "":
		return fmt.Sprintf("%q", c.Subject)
	}
	return "the certificate with the SHA-256 fingerprint " + fingerprint(c)
}

// anchorNames returns a name for each certificate, no two of them equal when case is ignored. The first with a name
// keeps it.
func anchorNames(anchors []Anchor) []string {
	taken := map[string]bool{}
	names := make([]string, len(anchors))
	for i, a := range anchors {
		plain, sum := printable(a.Name), fingerprint(a.Certificate)
		if plain == "" {
			plain = friendlyName(a.Certificate)
		}
		name := plain
		for n := 8; taken[fold(name)]; n++ {
			name = fmt.Sprintf("%s (%s)", plain, strings.Repeat(sum, 1+n/len(sum))[:n])
		}
		taken[fold(name)] = true
		names[i] = name
	}
	return names
}

func friendlyName(c *x509.Certificate) string {
	for _, s := range []string{c.Subject.CommonName, c.Subject.String()} {
		if name := printable(s); name != "" {
			return name
		}
	}
	return "CA " + fingerprint(c)[:8]
}

// printable makes of s what a BMPString holds (RFC 7292, 4.2) and a list can show.
func printable(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			r = ' '
		case r > 0xffff:
			r = unicode.ReplacementChar
		}
		if n++; n > maxFriendlyName {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// fold maps names that any client takes for one to the same string. Java, Android and BouncyCastle lower the case of
// aliases in slightly different ways; going up first covers all.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
