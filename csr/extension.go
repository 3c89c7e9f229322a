package csr

import (
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const maxNames = 100

// certSignBit and crlSignBit are the powers of an authority in a key usage (RFC 5280, 4.2.1.3).
const (
	certSignBit = 5
	crlSignBit  = 6
)

// extensions reads a list of extensions (RFC 5280, 4.1). The alternative names are taken, the rest is noted.
func (r *reader) extensions(list cryptobyte.String) error {
	seen := map[string]bool{}
	for !list.Empty() {
		var extension, value cryptobyte.String
		var id encodingasn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&id) ||
			!readFlag(&extension, &critical) ||
			!extension.ReadASN1(&value, asn1.OCTET_STRING) || !extension.Empty() {
			return errors.New("an extension cannot be read")
		}
		if seen[id.String()] {
			return fmt.Errorf("it has the extension %s twice", nameOf(id))
		}
		seen[id.String()] = true
		if err := r.extension(id, critical, value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) extension(id encodingasn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
	read := true
	switch id.String() {
	case subjectAltName:
		return r.alternativeNames(value)
	case basicConstraints:
		read = r.basicConstraints(value)
	case keyUsage:
		read = r.bits(value, "key usage", keyUsages, certSignBit, crlSignBit)
	case netscapeCertType:
		read = r.bits(value, "Netscape certificate type", netscapeTypes, 5, 6, 7)
	case extKeyUsage:
		read = r.extendedUsages(value)
	default:
		word := "extension " + nameOf(id)
		if critical {
			word += ", critical"
		}
		r.leave("%s", word)
	}
	if !read {
		return fmt.Errorf("the extension %s cannot be read", nameOf(id))
	}
	return nil
}

// readFlag reads a BOOLEAN DEFAULT FALSE.
func readFlag(der *cryptobyte.String, flag *bool) bool {
	return !der.PeekASN1Tag(asn1.BOOLEAN) || der.ReadASN1Boolean(flag)
}

// basicConstraints reads those of RFC 5280, 4.2.1.9. That it is no authority is what every leaf says.
func (r *reader) basicConstraints(value cryptobyte.String) bool {
	var constraints cryptobyte.String
	var authority bool
	if !value.ReadASN1(&constraints, asn1.SEQUENCE) || !value.Empty() ||
		!readFlag(&constraints, &authority) {
		return false
	}
	length := -1
	if constraints.PeekASN1Tag(asn1.INTEGER) && (!constraints.ReadASN1Integer(&length) || length < 0) || !constraints.Empty() {
		return false
	}
	switch {
	case authority && length >= 0:
		r.leave("basic constraints CA:TRUE, path length %d", length)
	case authority:
		r.leave("basic constraints CA:TRUE")
	case length >= 0:
		r.leave("basic constraints with the path length %d", length)
	}
	r.Authority = r.Authority || authority
	return true
}

// bits reads a string of named bits, some of which are an authority's.
func (r *reader) bits(value cryptobyte.String, what string, names []string, powers ...int) bool {
	var bits encodingasn1.BitString
	if !value.ReadASN1BitString(&bits) || !value.Empty() {
		return false
	}
	var words []string
	for i := range bits.BitLength {
		switch {
		case bits.At(i) == 0:
		case i < len(names):
			words = append(words, names[i])
		default:
			words = append(words, fmt.Sprintf("bit %d", i))
		}
	}
	for _, power := range powers {
		r.Authority = r.Authority || bits.At(power) == 1
	}
	if len(words) > 0 {
		r.leave("%s %s", what, strings.Join(words, ", "))
	}
	return true
}

func (r *reader) extendedUsages(value cryptobyte.String) bool {
	var usages cryptobyte.String
	if !value.ReadASN1(&usages, asn1.SEQUENCE) || !value.Empty() {
		return false
	}
	for !usages.Empty() {
		var id encodingasn1.ObjectIdentifier
		if !usages.ReadASN1ObjectIdentifier(&id) {
			return false
		}
		r.leave("extended key usage %s", nameOf(id))
	}
	return true
}

// alternativeNames reads GeneralNames (RFC 5280, 4.2.1.6). DNS names and addresses are taken.
func (r *reader) alternativeNames(value cryptobyte.String) error {
	var names cryptobyte.String
	if !value.ReadASN1(&names, asn1.SEQUENCE) || !value.Empty() {
		return errors.New("the alternative names cannot be read")
	}
	var taken []string
	for !names.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			return errors.New("an alternative name cannot be read")
		}
		s, err := r.alternativeName(tag, name)
		if err != nil {
			return fmt.Errorf("in the alternative names: %w", err)
		}
		if s != "" {
			taken = append(taken, s)
		}
	}
	if len(taken) > maxNames {
		return fmt.Errorf("%d alternative names: at most %d are taken", len(taken), maxNames)
	}
	var err error
	r.Asked.DNSNames, r.Asked.Addresses, err = Names(taken)
	return err
}

// alternativeName returns a DNS name or an address, and notes what is neither.
func (r *reader) alternativeName(tag asn1.Tag, name cryptobyte.String) (string, error) {
	context := asn1.Tag.ContextSpecific
	switch tag {
	case context(0).Constructed():
		var id encodingasn1.ObjectIdentifier
		if !name.ReadASN1ObjectIdentifier(&id) {
			return "", errors.New("an alternative name of another kind cannot be read")
		}
		r.leave("alternative name of the kind %s", nameOf(id))
	case context(1):
		r.leave("e-mail address %s", quoted(string(name)))
	case context(2):
		hosts, _, err := Names([]string{string(name)})
		if err != nil {
			return "", err
		}
		// An address in a DNS name's place matches nothing, or whatever a device makes of it.
		if len(hosts) == 0 {
			return "", fmt.Errorf("name %s: it is an address, and asked for as a DNS name", quoted(string(name)))
		}
		return hosts[0], nil
	case context(3).Constructed():
		r.leave("X.400 address")
	case context(4).Constructed():
		r.leave("directory name")
	case context(5).Constructed():
		r.leave("EDI party name")
	case context(6):
		r.leave("URI %s", quoted(string(name)))
	case context(7):
		address, ok := netip.AddrFromSlice(name)
		if !ok {
			return "", fmt.Errorf("an address of %d bytes is neither IPv4 nor IPv6", len(name))
		}
		return address.String(), nil
	case context(8):
		r.leave("registered identifier")
	default:
		return "", fmt.Errorf("an alternative name of an unknown kind (tag %#02x)", uint8(tag))
	}
	return "", nil
}
