package csr

import (
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// subject reads a distinguished name (RFC 5280, 4.1.2.4). Parts that stand in one set, as Go's own tools write several
// units, are taken one by one.
func (r *reader) subject(p parts) error {
	subject := &r.Asked.Subject
	fields := map[string]field{
		commonName:          {"name", &subject.CommonName},
		organization:        {"organization", &subject.Organization},
		organizationalUnit:  {"unit", &subject.Unit},
		localityName:        {"locality", &subject.Locality},
		stateOrProvinceName: {"province", &subject.Province},
		countryName:         {"country", &subject.Country},
	}
	seen := map[string]bool{}
	for der := p.subject; !der.Empty(); {
		var set cryptobyte.String
		if !der.ReadASN1(&set, asn1.SET) {
			return errNoSubject
		}
		for !set.Empty() {
			var attribute, value cryptobyte.String
			var id encodingasn1.ObjectIdentifier
			var tag asn1.Tag
			if !set.ReadASN1(&attribute, asn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&id) ||
				!attribute.ReadAnyASN1(&value, &tag) || !attribute.Empty() {
				return errNoSubject
			}
			carried, ok := fields[id.String()]
			if !ok {
				r.leaveAttribute(id, tag, value)
				continue
			}
			// A program that looks for one common name may find either.
			if carried.what == "name" && seen[commonName] {
				return errors.New("it has two common names, and which of them is meant it does not say")
			}
			seen[id.String()] = true
			if err := r.take(carried, tag, value); err != nil {
				return err
			}
		}
	}
	var err error
	*subject, err = subject.vet(false)
	return err
}

var errNoSubject = errors.New("the subject cannot be read")

// field is a part of the subject that a certificate of ours may have.
type field struct {
	what  string
	value *string
}

// take sets a field, unless it is set already or what stands there could pass for a group.
func (r *reader) take(f field, tag asn1.Tag, value []byte) error {
	s, ok := text(tag, value)
	switch {
	case !ok:
		return fmt.Errorf("%s: it is not in an encoding of text that RFC 5280, 4.1.2.4 has (tag %#02x)", f.what, uint8(tag))
	case s == "":
	case hasGroup(s) && f.what == "name":
		return fmt.Errorf("name %s: it could pass for a group", quoted(s))
	case hasGroup(s):
		r.leave("%s %s: the authority decides who is in which group", f.what, quoted(s))
	case *f.value != "":
		r.leave("%s %s: it has another one already", f.what, quoted(s))
	default:
		*f.value = s
	}
	return nil
}

func (r *reader) leaveAttribute(id encodingasn1.ObjectIdentifier, tag asn1.Tag, value []byte) {
	if s, ok := text(tag, value); ok {
		r.leave("%s %s in the subject", nameOf(id), quoted(s))
		return
	}
	r.leave("%s in the subject", nameOf(id))
}
