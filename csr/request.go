package csr

import (
	"crypto"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftsca/ftsca/internal/keyfile"
)

// Request is a key and the names asked for, all vetted. The zero Request asks for nothing and no authority takes it.
type Request struct {
	PublicKey crypto.PublicKey
	Subject   Subject
	DNSNames  []string     // lower case, each once, in the order given
	Addresses []netip.Addr // each once, in the order given
}

// New vets a key, a subject and alternative names, each a DNS name (a leading "*." is taken) or an IP address.
// The error says which of them cannot stand in a certificate, and why.
func New(key crypto.PublicKey, subject Subject, names []string) (Request, error) {
	if err := keyfile.CheckPublic(key); err != nil {
		return Request{}, fmt.Errorf("public key: %w", err)
	}
	subject, err := subject.Vet()
	if err != nil {
		return Request{}, err
	}
	r := Request{PublicKey: key, Subject: subject}
	r.DNSNames, r.Addresses, err = Names(names)
	return r, err
}

// Names sorts alternative names into DNS names and addresses, each once, or says which of them is neither and why.
func Names(names []string) (hosts []string, addresses []netip.Addr, err error) {
	seen := map[string]bool{}
	for _, name := range names {
		if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
			if addr.Zone() != "" {
				return nil, nil, fmt.Errorf("address %s: a zone means nothing outside its own machine", quoted(name))
			}
			if addr = addr.Unmap(); !seen[addr.String()] {
				seen[addr.String()] = true
				addresses = append(addresses, addr)
			}
			continue
		}
		dns, err := vetDNS(name)
		if err != nil {
			return nil, nil, fmt.Errorf("name %s: %w", quoted(name), err)
		}
		if !seen[dns] {
			seen[dns] = true
			hosts = append(hosts, dns)
		}
	}
	return hosts, addresses, nil
}

// IsHost tells whether s can stand as an alternative name: a DNS name or an IP address.
func IsHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, err := vetDNS(s)
	return err == nil
}

// vetDNS holds to the preferred name syntax of RFC 1034, 3.5 (digits may lead, RFC 1123, 2.1), as RFC 5280, 4.2.1.6
// demands. Underscores are refused: crypto/x509 and OpenSSL match them, others do not.
func vetDNS(name string) (string, error) {
	dns := strings.ToLower(name)
	if dns == "" {
		return "", errEmpty
	}
	if len(dns) > 253 {
		return "", fmt.Errorf("%d characters, and a DNS name has at most 253", len(dns))
	}
	labels := strings.Split(strings.TrimPrefix(dns, "*."), ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "", fmt.Errorf("a DNS name has no empty part between its dots")
		case len(label) > 63:
			return "", fmt.Errorf("%s is longer than the 63 characters between two dots", quoted(label))
		case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
			return "", fmt.Errorf("%q begins or ends with a hyphen", label)
		}
		for _, r := range label {
			if r >= 0x80 {
				return "", fmt.Errorf("write international names in their xn-- form: %q is not ASCII", r)
			}
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return "", fmt.Errorf("%q does not stand in a DNS name", r)
			}
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("it is neither an IP address nor a DNS name: a last part of digits alone is an address")
	}
	return dns, nil
}
