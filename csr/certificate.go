package csr

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"
)

// FromCertificate returns the request that would lead to a certificate like one of ours again: the same key, subject,
// groups and alternative names. A certificate with names that [Subject] has no place for is an error.
func FromCertificate(cert *x509.Certificate) (Request, error) {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(cert.RawSubject, &name); err != nil {
		return Request{}, fmt.Errorf("reading the subject of %q: %w", cert.Subject.CommonName, err)
	}
	var s Subject
	fields := map[string]*string{"2.5.4.3": &s.CommonName, "2.5.4.6": &s.Country, "2.5.4.7": &s.Locality, "2.5.4.8": &s.Province,
		"2.5.4.10": &s.Organization, "2.5.4.11": &s.Unit}
	for _, set := range name {
		for _, attribute := range set {
			value, isText := attribute.Value.(string)
			field, known := fields[attribute.Type.String()]
			group, isGroup := strings.CutPrefix(value, GroupPrefix)
			switch {
			case known && field == &s.Unit && isGroup:
				s.Groups = append(s.Groups, group)
			case !known || !isText || *field != "":
				return Request{}, fmt.Errorf("the subject of %q has %v, which no certificate of ours has", cert.Subject.CommonName, attribute.Type)
			default:
				*field = value
			}
		}
	}
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			names = append(names, addr.String())
		}
	}
	return New(cert.PublicKey, s, names)
}
