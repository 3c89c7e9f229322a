package secret

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a passphrase or a password. It prints as "[redacted]" under every verb of fmt, as text, as JSON and in
// slog. The zero Secret is none: see [Secret.IsZero]. It is not to be compared with ==, which tells whether two come
// from the same call of New, not whether they are the same.
type Secret struct {
	// fmt calls no method of a value that it reaches through an unexported field, and prints what is in it instead.
	// A pointer so deep down it prints as an address.
	value *string
}

// New makes a Secret of a copy of b. What makes no bytes makes the zero Secret.
func New(b []byte) Secret { return FromString(string(b)) }

// FromString makes a Secret of s. The empty string makes the zero Secret.
func FromString(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Random makes a Secret of at least 128 random bits, in capital letters and digits that base32 has (RFC 4648, 6): it
// can be read out over a radio, and typed on any keyboard.
func Random() Secret { return FromString(rand.Text()) }

// Reveal returns the secret itself, "" for the zero Secret. It is the only way out.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero tells whether no secret was given.
func (s Secret) IsZero() bool { return s.value == nil }

// WellKnown tells whether the secret is one that everybody tries first: a default that TAK software, Java or other CA
// tools ship with, or one of the most common passwords, in any case and with any blanks around it. The zero Secret is
// none of them.
func (s Secret) WellKnown() bool {
	switch strings.ToLower(strings.TrimSpace(s.Reveal())) {
	case "supersecret", "supersecretpassword", // FreeTAKServer
		"atakatak",              // TAK Server, ATAK before 5, taky, goatak, OpenTAKServer
		"changeit",              // Java key stores, mkcert
		"defaultpass",           // FreeTAKServer's documents
		"changeme", "change_me", // sample configurations
		"freetakserver", "freetak", "takserver", "tak", "atak", "wintak", "itak", "ftsca", "fts",
		"password", "password1", "passw0rd", "pass", "passphrase", "secret", "admin", "administrator", "root", "default",
		"test", "guest", "letmein", "welcome", "qwerty", "abc123", "1234", "12345", "123456", "1234567", "12345678",
		"123456789", "1234567890", "111111", "000000":
		return true
	}
	return false
}

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format writes "[redacted]" whatever the verb, its flags and its width are.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]", and never an error.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns the JSON string "[redacted]", and never an error.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns "[redacted]" as a string.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
