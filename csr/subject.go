package csr

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxNameLength is the longest common name and the longest organization or unit, in characters: ub-common-name,
// ub-organization-name and ub-organizational-unit-name of RFC 5280, appendix A.1.
const MaxNameLength = 64

// GroupPrefix marks an organizational unit that puts a client into a group: OU "group:blue".
const GroupPrefix = "group:"

// Subject is the distinguished name that is asked for. Only CommonName is required; what is empty is left out.
// Any Unicode that people have as a name may stand in each field, up to [MaxNameLength] characters (Country: two letters).
type Subject struct {
	CommonName   string
	Organization string
	Unit         string // one organizational unit; groups have their own field
	Locality     string
	Province     string
	Country      string   // ISO 3166 code of two letters
	Groups       []string // each becomes the organizational unit GroupPrefix + its name
}

// Vet returns the subject in Unicode normal form C, so that the same name typed on two keyboards is the same name,
// or an error that names the field and what is wrong with it.
func (s Subject) Vet() (Subject, error) { return s.vet(true) }

// vet judges a subject that need not have a name yet.
func (s Subject) vet(named bool) (Subject, error) {
	fields := []struct {
		what     string
		value    *string
		required bool
	}{
		{"name", &s.CommonName, named},
		{"organization", &s.Organization, false},
		{"unit", &s.Unit, false},
		{"locality", &s.Locality, false},
		{"province", &s.Province, false},
	}
	for _, f := range fields {
		if *f.value == "" && !f.required {
			continue
		}
		vetted, err := vetText(*f.value, MaxNameLength)
		if err != nil {
			return Subject{}, fmt.Errorf("%s %s: %w", f.what, quoted(*f.value), err)
		}
		*f.value = vetted
	}
	// An operator who could type a group as a unit would make a group that the group rules never saw.
	if strings.HasPrefix(s.Unit, GroupPrefix) {
		return Subject{}, fmt.Errorf("unit %q: a unit that begins with %q is a group: ask for it as a group", s.Unit, GroupPrefix)
	}
	if s.Country != "" {
		country := strings.ToUpper(s.Country)
		if len(country) != 2 || strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return Subject{}, fmt.Errorf("country %s: want a code of two letters, such as CA", quoted(s.Country))
		}
		s.Country = country
	}
	groups := make([]string, 0, len(s.Groups))
	for _, g := range s.Groups {
		vetted, err := VetGroup(g)
		if err != nil {
			return Subject{}, err
		}
		groups = append(groups, vetted)
	}
	s.Groups = groups
	return s, nil
}

// VetGroup returns the name of a group in Unicode normal form C, or an error that says what is wrong with it. Behind
// [GroupPrefix] it has to fit into an organizational unit.
func VetGroup(name string) (string, error) {
	vetted, err := vetText(name, MaxNameLength-len(GroupPrefix))
	if err != nil {
		return "", fmt.Errorf("group %s: %w", quoted(name), err)
	}
	return vetted, nil
}

// DER returns the distinguished name (RFC 5280, 4.1.2.4), widest part first and each part by itself: crypto/x509 would
// put all organizational units into one, as a set, in which their order is lost and few programs look.
func (s Subject) DER() ([]byte, error) {
	type attribute struct {
		arc   int // of 2.5.4
		value string
	}
	attributes := []attribute{{6, s.Country}, {8, s.Province}, {7, s.Locality}, {10, s.Organization}, {11, s.Unit}}
	for _, g := range s.Groups {
		attributes = append(attributes, attribute{11, GroupPrefix + g})
	}
	var name pkix.RDNSequence
	for _, a := range append(attributes, attribute{3, s.CommonName}) {
		if a.value != "" {
			name = append(name, pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, a.arc}, Value: a.value}})
		}
	}
	der, err := asn1.Marshal(name)
	if err != nil {
		return nil, fmt.Errorf("encoding the subject of %q: %w", s.CommonName, err)
	}
	return der, nil
}

var (
	errEmpty   = errors.New("it is empty")
	errEncoded = errors.New("it is not valid UTF-8")
	errEdge    = errors.New("it begins or ends with a space")
)

// vetText refuses what nobody has in a name and what could make one name look like another on a screen: control
// characters, line and paragraph separators, and the characters that turn the direction of text around. Right-to-left
// letters themselves, joiners and emoji are names like any other.
func vetText(s string, limit int) (string, error) {
	if !utf8.ValidString(s) {
		return "", errEncoded
	}
	s = norm.NFC.String(s)
	if strings.TrimSpace(s) == "" {
		return "", errEmpty
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == utf8.RuneError || r >= '\U000e0000' || unicode.Is(unicode.Co, r) ||
			r&0xfffe == 0xfffe || r >= '\ufdd0' && r <= '\ufdef' {
			return "", fmt.Errorf("the character %U is not one for a name", r)
		}
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' || r == '\u061c' {
			return "", fmt.Errorf("the character %U turns the direction of text and can disguise a name", r)
		}
	}
	if strings.TrimSpace(s) != s {
		return "", errEdge
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return "", fmt.Errorf("%d characters, and at most %d fit", n, limit)
	}
	return s, nil
}
