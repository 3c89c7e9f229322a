package check

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const maxConnections = 16

// connections follows what one .pref file says of servers.
func (d *device) connections(p *preferences) {
	if len(p.blocks[streams]) == 0 {
		return
	}
	n := d.count(p)
	for i := range n {
		if len(d.verdict.Connections) == maxConnections {
			d.say(all(Warning), "count-many", p.where, "more than %d connections: the rest is not looked at",
				maxConnections)
			return
		}
		if c, ok := d.connection(p, i); ok {
			d.certificates(p, i, &c)
			d.verdict.Connections = append(d.verdict.Connections, c)
		}
	}
}

// count tells how many connections to look at. What the device does not see for want of a count is looked at all the same.
func (d *device) count(p *preferences) int {
	there := 0
	for i := range maxConnections + 1 {
		if _, ok := p.get(streams, "connectString"+strconv.Itoa(i)); ok {
			there = i + 1
		}
	}
	text, ok := p.get(streams, "count")
	if !ok {
		d.say(levels{Refusal, Warning, Warning, Warning}, "count-missing", p.where, "cot_streams has no count, "+
			"without which ATAK reads no connection")
		return there
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1:
		d.say(levels{Refusal, Warning, Warning, Warning}, "count-wrong", p.where, "the count of connections is "+
			"%.20q, which is no number from 1 up", text)
	case n < there:
		d.say(all(Warning), "count-low", p.where, "the count of connections is %d, and there are %d: ATAK reads the "+
			"first %d", n, there, n)
		return n
	case n > there:
		d.say(all(Warning), "count-high", p.where, "the count of connections is %d, and there are %d", n, there)
	}
	return there
}

func (d *device) connection(p *preferences, i int) (Connection, bool) {
	var c Connection
	key := func(stem string) string { return stem + strconv.Itoa(i) }
	ok := true
	d.well("connection", func() (where, text string) {
		address, there := p.get(streams, key("connectString"))
		if !there {
			d.say(all(Refusal), "connect-missing", p.where, "%s is missing: the numbers of connections begin with 0 "+
				"and leave none out", key("connectString"))
			ok = false
			return "", ""
		}
		if ok = d.address(p.where, key("connectString"), address, &c); !ok {
			return "", ""
		}
		if c.Description, _ = p.get(streams, key("description")); c.Description == "" {
			d.say(all(Warning), "description", p.where, "%s is missing or empty: the user sees a connection without "+
				"a name", key("description"))
		}
		enabled, _ := p.get(streams, key("enabled"))
		if c.Enabled = enabled == "true"; !c.Enabled {
			d.say(all(Warning), "enabled", p.where, "%s is not true: the user has to switch the connection on",
				key("enabled"))
		}
		return p.where, fmt.Sprintf("the device connects to %s", address)
	})
	return c, ok
}

// address reads a connectString as ATAK does, which splits it at every colon.
func (d *device) address(where, key, text string, c *Connection) bool {
	if isIPv6(text) {
		d.say(levels{Refusal, Warning, Warning, Warning}, "connect-ipv6", where, "%s is %.100q: ATAK splits it at "+
			"the colons into three parts, so that an IPv6 address cannot be used; "+
			"give a DNS name that stands for it", key, text)
		return false
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		d.say(all(Refusal), "connect-parts", where, `%s is %.100q, which has %d parts between colons: it has to be `+
			`host:port:protocol, as "tak.example.org:8089:ssl"`, key, text, len(parts))
		return false
	}
	port, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil || port == 0 {
		d.say(all(Refusal), "connect-port", where, "%s is %.100q, whose port is no number from 1 to 65535", key, text)
		return false
	}
	c.Host, c.Port, c.Protocol = parts[0], int(port), parts[2]
	switch c.Protocol {
	case "ssl":
	case "tcp":
		d.say(all(Warning), "connect-clear", where, "%s is of protocol tcp: everything goes in clear, and no "+
			"certificate is used", key)
	case "quic":
		d.say(levels{Warning, Refusal, Refusal, Refusal}, "connect-protocol", where, "%s is of protocol quic, which "+
			"ATAK knows since 5.5, and the others do not", key)
	default:
		d.say(all(Refusal), "connect-protocol", where, "%s is of protocol %.20q, which no device knows: write ssl", key,
			c.Protocol)
		return false
	}
	d.host(where, key, c.Host)
	return true
}

// isIPv6 tells whether an address of that kind stands at the head of a connectString, with brackets or without.
func isIPv6(text string) bool {
	if strings.HasPrefix(text, "[") {
		return true
	}
	for s := text; s != ""; {
		if a, err := netip.ParseAddr(s); err == nil {
			return a.Is6()
		}
		s = s[:max(0, strings.LastIndexByte(s, ':'))]
	}
	return false
}

func (d *device) host(where, key, host string) {
	a, err := netip.ParseAddr(host)
	switch {
	case host == "" || strings.ContainsAny(host, " /@\\"):
		d.say(all(Refusal), "connect-host", where, "%s has the host %.100q, which is no host's name", key, host)
	case err == nil && (a.IsUnspecified() || a.IsMulticast()):
		d.say(all(Refusal), "connect-host", where, "%s has the host %s, where a server listens but no device "+
			"connects to: give the server's own address", key, host)
	case err == nil && a.IsLoopback(), strings.EqualFold(host, "localhost"):
		d.say(all(Warning), "connect-host", where, "%s has the host %s, which is the device itself", key, host)
	case strings.Contains(host, "_"):
		d.say(all(Warning), "connect-host", where, "%s has the host %.100q, and Java takes no underscore in a host's "+
			"name", key, host)
	}
}

// judgeConnections judges what connections do to each other.
func (d *device) judgeConnections() {
	seen := map[string]bool{}
	for _, c := range d.verdict.Connections {
		address := fmt.Sprintf("%s:%d:%s", c.Host, c.Port, c.Protocol)
		if seen[address] {
			d.say(all(Warning), "connect-twice", "", "%.150s is there twice, and a device keeps one of them", address)
		}
		seen[address] = true
	}
	d.judgePasswordsOfHosts()
}
