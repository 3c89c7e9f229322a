package datapackage

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is where TAK servers stream CoT over TLS.
const DefaultPort = 8089

// ParseHost reads the address that devices connect to: host or host:port, where host is a DNS name (returned in lower
// case) or an IPv4 address, and port 1 to 65535 is [DefaultPort] where none is given.
//
// It refuses what a device could not connect to, and says why: above all IPv6 addresses, since ATAK takes its
// connection as host:port:protocol and splits that at every colon.
func ParseHost(s string) (host string, port int, err error) {
	fail := func(why error) (string, int, error) {
		return "", 0, fmt.Errorf("host %.300q: %w", s, why)
	}
	if ipv6(s) {
		return fail(errors.New("an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl at the " +
			"colons into exactly three parts; give a DNS name that stands for it"))
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return fail(fmt.Errorf("write host or host:port, without %.20q in front", scheme+"://"))
	}
	if strings.Count(s, ":") > 1 {
		return fail(errors.New("write host or host:port, with no more than one colon"))
	}
	host, given, ok := strings.Cut(s, ":")
	port = DefaultPort
	if ok {
		if port, err = parsePort(given); err != nil {
			return fail(err)
		}
	}
	if host, err = vetHost(host); err != nil {
		return fail(err)
	}
	return host, port, nil
}

// ipv6 tells whether s is an IPv6 address, also in brackets, with a port or with a zone.
func ipv6(s string) bool {
	inner, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		inner, _, _ = strings.Cut(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	return bracketed || err == nil && addr.Is6()
}

func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '+' {
		return 0, fmt.Errorf("port %.20q is no number from 1 to 65535", s)
	}
	return int(n), nil
}

func vetHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		switch {
		case addr.IsUnspecified():
			return "", errors.New("a server may listen there, but a device cannot connect to it; give the server's own address")
		case addr.IsMulticast(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return "", errors.New("it is the address of many, and no server's")
		}
		return addr.String(), nil
	}
	if len(host) > 253 {
		return "", fmt.Errorf("%d characters, and a DNS name has at most 253", len(host))
	}
	labels := strings.Split(strings.ToLower(host), ".")
	for _, label := range labels {
		if err := vetLabel(label); err != nil {
			return "", err
		}
	}
	// inet_aton, and so Android, reads such names as addresses, by rules that nobody expects (010 is 8).
	if last := labels[len(labels)-1]; numeric(last) {
		return "", errors.New("it is neither an IPv4 address (four numbers from 0 to 255, no zeros in front) nor a DNS " +
			"name, whose last part is no number")
	}
	return strings.Join(labels, "."), nil
}

// vetLabel holds to the preferred name syntax of RFC 1034, 3.5, where digits may lead (RFC 1123, 2.1). Java, and so
// ATAK, takes no underscore in a host name.
func vetLabel(label string) error {
	switch {
	case label == "":
		return errors.New("a host name is not empty and has no empty part between its dots")
	case len(label) > 63:
		return errors.New("a part is longer than the 63 characters that fit between two dots")
	case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
		return fmt.Errorf("%q begins or ends with a hyphen", label)
	}
	for _, r := range label {
		switch {
		case r >= 0x80:
			return fmt.Errorf("%q is not ASCII; write international names in their xn-- form", r)
		case (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-':
			return fmt.Errorf("%q does not stand in a host name", r)
		}
	}
	return nil
}

func numeric(label string) bool {
	if digits, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
