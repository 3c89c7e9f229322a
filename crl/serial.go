package crl

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"
)

// maxOctets is the length of the longest serial that a list can name. RFC 5280, 4.1.2.2, allows 20 octets; foreign
// authorities go beyond it.
const maxOctets = 32

// A Serial is the serial number of a certificate. Serials compare with ==, and serve as keys of maps. The zero Serial
// is the number zero, which RFC 5280, 4.1.2.2, forbids and which exists all the same.
type Serial struct {
	octets string // big-endian, without leading zeros: half of what hex would take
}

// ParseSerial reads a serial in hex: either case, leading zeros, 0x before it, colons or spaces between the octets. More
// than 32 octets are refused, and so are colons that leave open which octets are meant, as in 1:2:3.
func ParseSerial(s string) (Serial, error) {
	octets, err := parseSerial(s)
	if err != nil {
		return Serial{}, fmt.Errorf("%s is no serial number in hex: %w", quote(s), err)
	}
	return octets, nil
}

var (
	errNoDigits   = errors.New("it has no digits")
	errHalfOctets = errors.New("two digits are missing from a pair between its colons")
	errTooLong    = fmt.Errorf("it is longer than %d octets", maxOctets)
)

func parseSerial(s string) (Serial, error) {
	s = strings.TrimFunc(s, blank)
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s = s[2:]
	}
	digits := make([]byte, 0, 2*maxOctets)
	all, group, groups := 0, 0, 0
	for _, r := range s {
		switch {
		case r == ':':
			// A first group may have lost its leading zero, a later one would mean another number without it.
			if group == 0 || groups > 0 && group%2 == 1 {
				return Serial{}, errHalfOctets
			}
			group, groups = 0, groups+1
		case blank(r):
		case isHex(r):
			all, group = all+1, group+1
			if len(digits) == 0 && r == '0' {
				continue
			}
			if len(digits) == 2*maxOctets {
				return Serial{}, errTooLong
			}
			digits = append(digits, byte(r))
		default:
			return Serial{}, fmt.Errorf("%q is no hex digit", r)
		}
	}
	switch {
	case all == 0:
		return Serial{}, errNoDigits
	case groups > 0 && (group == 0 || group%2 == 1):
		return Serial{}, errHalfOctets
	}
	if len(digits)%2 == 1 {
		digits = append(digits, 0)
		copy(digits[1:], digits)
		digits[0] = '0'
	}
	n, err := hex.Decode(digits, digits)
	if err != nil {
		return Serial{}, err
	}
	return Serial{string(digits[:n])}, nil
}

// blank tells what may stand between digits without a meaning. The Windows certificate dialog puts an invisible
// left-to-right mark before what is copied from it.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u200e' || r == '\ufeff' }

func isHex(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F'
}

// SerialOf returns n as a Serial. The sign of n does not count: a certificate with a negative serial is not one that
// crypto/x509 reads.
func SerialOf(n *big.Int) Serial { return Serial{string(n.Bytes())} }

// String returns the serial in lower-case hex, two digits for each octet, without leading zeros: "00" for zero.
func (s Serial) String() string {
	if s.octets == "" {
		return "00"
	}
	return hex.EncodeToString([]byte(s.octets))
}

// Big returns the serial as a new number.
func (s Serial) Big() *big.Int { return new(big.Int).SetBytes([]byte(s.octets)) }

// Compare orders serials by number: -1 when s is the lower one, 0 when they are equal, 1 otherwise.
func (s Serial) Compare(t Serial) int {
	return cmp.Or(cmp.Compare(len(s.octets), len(t.octets)), cmp.Compare(s.octets, t.octets))
}

// unlistable tells of a serial that no list can name. Such a one counts as revoked everywhere.
func (s Serial) unlistable() bool { return len(s.octets) > maxOctets }

// quote quotes what another hand wrote, cut to a length that fits a line of an error.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
