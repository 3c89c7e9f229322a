package datapackage_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/datapackage"
)

func TestHostsThatDevicesCanConnectTo(t *testing.T) {
	label := strings.Repeat("a", 63)
	tests := []struct {
		in   string
		host string
		port int
	}{
		{"fts.example.org", "fts.example.org", 8089},
		{"fts.example.org:8089", "fts.example.org", 8089},
		{"fts.example.org:1", "fts.example.org", 1},
		{"fts.example.org:65535", "fts.example.org", 65535},
		{"FTS.Example.ORG", "fts.example.org", 8089},
		{"localhost", "localhost", 8089},
		{"10.0.0.5:18089", "10.0.0.5", 18089},
		{"127.0.0.1", "127.0.0.1", 8089},
		{"xn--mller-kva.example", "xn--mller-kva.example", 8089},
		{"3com.example", "3com.example", 8089},
		{label + "." + label + "." + label + "." + label[:61], label + "." + label + "." + label + "." + label[:61], 8089},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			host, port, err := datapackage.ParseHost(test.in)
			if host != test.host || port != test.port || err != nil {
				t.Errorf("got %q, %d, %v; want %q, %d", host, port, err, test.host, test.port)
			}
		})
	}
}

func TestHostsThatDevicesCannotConnectToAreRefused(t *testing.T) {
	const (
		ipv6 = `an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl at the colons into exactly three parts; ` +
			`give a DNS name that stands for it`
		empty   = `a host name is not empty and has no empty part between its dots`
		colons  = `write host or host:port, with no more than one colon`
		numbers = `it is neither an IPv4 address (four numbers from 0 to 255, no zeros in front) nor a DNS name, whose last part is no number`
	)
	long := strings.Repeat("a", 64)
	tests := []struct{ in, want string }{
		{"", empty},
		{":8089", empty},
		{".", empty},
		{"fts..org", empty},
		{"fts.example.org.", empty},
		{"2001:db8::1", ipv6},
		{"[2001:db8::1]", ipv6},
		{"[2001:db8::1]:8089", ipv6},
		{"::1", ipv6},
		{"::ffff:10.0.0.5", ipv6},
		{"fe80::1%eth0", ipv6},
		{"[fts.example.org]", ipv6},
		{"https://fts.example.org", `write host or host:port, without "https://" in front`},
		{"fts.example.org:8089:ssl", colons},
		{"fts.example.org:", `port "" is no number from 1 to 65535`},
		{"fts.example.org:0", `port "0" is no number from 1 to 65535`},
		{"fts.example.org:65536", `port "65536" is no number from 1 to 65535`},
		{"fts.example.org:-1", `port "-1" is no number from 1 to 65535`},
		{"fts.example.org:+1", `port "+1" is no number from 1 to 65535`},
		{"fts.example.org:ssl", `port "ssl" is no number from 1 to 65535`},
		{"fts.example.org/path", `'/' does not stand in a host name`},
		{"fts example", `' ' does not stand in a host name`},
		{"fts\n", `'\n' does not stand in a host name`},
		{"my_server.lan", `'_' does not stand in a host name`},
		{"alice@fts.example.org", `'@' does not stand in a host name`},
		{"*.example.org", `'*' does not stand in a host name`},
		{"müller.example", `'ü' is not ASCII; write international names in their xn-- form`},
		{"-fts.example.org", `"-fts" begins or ends with a hyphen`},
		{"fts-.example.org", `"fts-" begins or ends with a hyphen`},
		{long, `a part is longer than the 63 characters that fit between two dots`},
		{strings.Repeat("a.", 127), `254 characters, and a DNS name has at most 253`},
		{"256.0.0.1", numbers},
		{"10.0.0", numbers},
		{"10.0.0.05", numbers},
		{"2130706433", numbers},
		{"0x7f000001", numbers},
		{"0.0.0.0:8089", `a server may listen there, but a device cannot connect to it; give the server's own address`},
		{"239.2.3.1:6969", `it is the address of many, and no server's`},
		{"255.255.255.255", `it is the address of many, and no server's`},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			host, port, err := datapackage.ParseHost(test.in)
			if want := "host " + strconv.Quote(test.in) + ": " + test.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if host != "" || port != 0 {
				t.Errorf("got %q and %d beside the error", host, port)
			}
		})
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"fts.example.org:8089", "10.0.0.5", "[::1]:1", "a:b:c", "0x1", "xn--a", "..", ":", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := datapackage.ParseHost(s)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		again, samePort, err := datapackage.ParseHost(net.JoinHostPort(host, strconv.Itoa(port)))
		if again != host || samePort != port || err != nil {
			t.Errorf("%q gives %s:%d, and that gives %s:%d, %v", s, host, port, again, samePort, err)
		}
		if connect := strings.Split(host+":"+strconv.Itoa(port)+":ssl", ":"); len(connect) != 3 {
			t.Errorf("%q gives %q", s, connect)
		}
	})
}
