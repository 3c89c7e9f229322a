package templates

import (
	"errors"
	"fmt"
	"strings"
)

// Preferences is what a device shall set up.
type Preferences struct {
	// Connections are the servers, at least one. ATAK keeps passwords by host, so connections to one host must have
	// the same.
	Connections []Connection
}

// Connection is one CoT server that a device streams to over TLS.
type Connection struct {
	Description string // what the device shows; any text, not empty
	Host        string // a DNS name or an IPv4 address
	Port        int    // 1 to 65535
	Enabled     bool   // whether the device connects as soon as it has read this

	CAFile         string // name of the trust store's file in the package, without a folder
	CAPassword     string // not empty
	ClientFile     string // name of the identity's file in the package, without a folder
	ClientPassword string // not empty
}

type atakConnection struct {
	Description, Host          xmlText
	Port                       int
	Enabled                    bool
	CAFile, CAPassword         xmlText
	ClientFile, ClientPassword xmlText
}

// RenderATAKPreferences returns the .pref file of an ATAK data package: every connection with its certificates by the
// keys that carry its index, which is the one form in which ATAK ties them to that server, and files as cert/NAME,
// where ATAK puts every .p12 of a package.
//
// It refuses a host with a colon (ATAK splits host:port:ssl at colons into exactly three parts), two connections to one
// address, two passwords for one host, a file that is named twice (ATAK deletes it once it has imported it: each
// connection needs its own copies), and whatever a device would not read back as it was given.
func RenderATAKPreferences(p Preferences) ([]byte, error) {
	if len(p.Connections) == 0 {
		return nil, errors.New("preferences need at least one connection")
	}
	connections := make([]atakConnection, len(p.Connections))
	byHost, addresses, used := map[string]Connection{}, map[string]bool{}, map[string]bool{}
	for i, c := range p.Connections {
		vetted, err := vetConnection(c)
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", i, err)
		}
		host := strings.ToLower(c.Host)
		address := fmt.Sprintf("%s:%d", host, c.Port)
		if addresses[address] {
			return nil, fmt.Errorf("connection %d: %s is in the list already", i, address)
		}
		addresses[address] = true
		if other, ok := byHost[host]; ok && (other.CAPassword != c.CAPassword || other.ClientPassword != c.ClientPassword) {
			return nil, fmt.Errorf("connection %d: another connection to %s has other passwords, and ATAK keeps one for a host", i, host)
		}
		byHost[host] = c
		for _, file := range []string{c.CAFile, c.ClientFile} {
			// Windows and iOS do not tell upper from lower case.
			if file = strings.ToLower(file); used[file] {
				return nil, fmt.Errorf("connection %d: %q is used already, and ATAK deletes a file once it has imported it", i, file)
			}
			used[file] = true
		}
		connections[i] = vetted
	}
	return render("atak.pref.tmpl", connections)
}

func vetConnection(c Connection) (v atakConnection, err error) {
	if v.Description, err = vetText("description", c.Description, false); err != nil {
		return v, err
	}
	if v.Host, err = vetHost(c.Host); err != nil {
		return v, err
	}
	if c.Port < 1 || c.Port > 65535 {
		return v, fmt.Errorf("port %d is not in 1 to 65535", c.Port)
	}
	v.Port, v.Enabled = c.Port, c.Enabled
	if v.CAFile, err = vetFile("the trust store's file name", c.CAFile); err != nil {
		return v, err
	}
	if v.CAPassword, err = vetText("the trust store's password", c.CAPassword, true); err != nil {
		return v, err
	}
	if v.ClientFile, err = vetFile("the identity's file name", c.ClientFile); err != nil {
		return v, err
	}
	v.ClientPassword, err = vetText("the identity's password", c.ClientPassword, true)
	return v, err
}

func vetHost(host string) (xmlText, error) {
	switch {
	case strings.Contains(host, ":"):
		return "", fmt.Errorf("host %.300q: ATAK splits host:port:ssl at the colons into exactly three parts, so a host "+
			"has none (no IPv6 address, no port)", host)
	case host == "":
		return "", errors.New("host is empty")
	case strings.Trim(host, fileCharacters) != "" || len(host) > 253:
		return "", fmt.Errorf("host %.300q is no DNS name and no IPv4 address", host)
	}
	return xmlText(host), nil
}
