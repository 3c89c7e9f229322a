package crl

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Entry is one revocation.
type Entry struct {
	// Serial is that of the revoked certificate.
	Serial Serial
	// Issuer is the key identifier, in lower-case hex, of the authority that issued it, as [KeyID] returns it. When
	// empty, or no key identifier in hex of 64 octets at most, the serial is revoked under every authority.
	Issuer string
	// Date is when it was revoked. Zero means that nobody wrote it down; the certificate is revoked all the same, and so
	// it is before a date that lies in the future.
	Date time.Time
	// Reason is why. Zero is [Unspecified].
	Reason Reason
}

// Union joins lists of entries in the order given. Where several have the same serial and issuer, the first one stays.
func Union(lists ...[]Entry) []Entry {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	joined, known := make([]Entry, 0, n), make(entrySet, n)
	for _, list := range lists {
		for _, e := range list {
			if known.add(e) {
				joined = append(joined, e)
			}
		}
	}
	return joined
}

// Missing returns the entries of want that have does not cover. An entry covers others of its serial when it has the
// same issuer or none.
func Missing(have, want []Entry) []Entry {
	if len(want) == 0 {
		return nil
	}
	known := setOf(have)
	var missing []Entry
	for _, e := range want {
		if !known.covers(e.Serial, e.Issuer) {
			missing = append(missing, e)
		}
	}
	return missing
}

// Except returns the entries without those that were released: what a release covers, as in [Missing], and is dated no
// later than the release. So whoever is revoked again afterwards is revoked, and lists from before may be read again. It
// does not change entries.
func Except(entries, released []Entry) []Entry {
	if len(released) == 0 {
		return entries
	}
	until := make(map[entryKey]time.Time, len(released))
	for _, r := range released {
		key := entryKey{r.Serial, canonical(r.Issuer)}
		if at, ok := until[key]; !ok || r.Date.After(at) {
			until[key] = r.Date
		}
	}
	covered := func(e Entry, issuer string) bool {
		at, ok := until[entryKey{e.Serial, issuer}]
		return ok && !e.Date.After(at)
	}
	var left []Entry
	for _, e := range entries {
		if !covered(e, "") && !covered(e, canonical(e.Issuer)) {
			left = append(left, e)
		}
	}
	return left
}

type entryKey struct {
	serial Serial
	issuer string
}

type entrySet map[entryKey]struct{}

func setOf(entries []Entry) entrySet {
	s := make(entrySet, len(entries))
	for _, e := range entries {
		s.add(e)
	}
	return s
}

func (s entrySet) add(e Entry) bool {
	key := entryKey{e.Serial, canonical(e.Issuer)}
	if _, ok := s[key]; ok {
		return false
	}
	s[key] = struct{}{}
	return true
}

func (s entrySet) covers(serial Serial, issuer string) bool {
	if _, ok := s[entryKey{serial, ""}]; ok || issuer == "" {
		return ok
	}
	_, ok := s[entryKey{serial, canonical(issuer)}]
	return ok
}

// maxKeyID is more octets than any authority uses: RFC 5280, 4.2.1.2, suggests 20.
const maxKeyID = 64

var errNoKeyID = errors.New("it is no key identifier in hex, as openssl prints it")

// ParseIssuer reads an authority's key identifier in hex, colons, spaces and either case allowed, and returns it as
// [KeyID] does. It may have 64 octets at most.
func ParseIssuer(s string) (string, error) {
	id, err := parseIssuer(s)
	if err == nil && id == "" {
		err = errNoKeyID
	}
	if err != nil {
		return "", fmt.Errorf("the issuer %s: %w", quote(s), err)
	}
	return id, nil
}

// parseIssuer reads a key identifier in hex, colons, spaces and either case allowed. Unlike those of a serial its
// leading zeros count. The empty text is that of every authority.
func parseIssuer(s string) (string, error) {
	digits := strings.Map(func(r rune) rune {
		if r == ':' || blank(r) {
			return -1
		}
		return r
	}, s)
	if digits == "" && s != "" {
		return "", errNoKeyID
	}
	octets, err := hex.DecodeString(digits)
	if err != nil || len(octets) > maxKeyID {
		return "", errNoKeyID
	}
	return hex.EncodeToString(octets), nil
}

// canonical returns an issuer as [KeyID] writes it. One that cannot be read becomes every authority: an entry must not
// lose its force by the way it was spelt.
func canonical(issuer string) string {
	for i := range len(issuer) {
		if c := issuer[i]; !isHex(rune(c)) || 'A' <= c && c <= 'F' {
			issuer, _ = parseIssuer(issuer)
			return issuer
		}
	}
	if len(issuer)%2 == 1 || len(issuer) > 2*maxKeyID {
		return ""
	}
	return issuer
}
