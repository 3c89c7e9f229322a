package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxConnections is how many servers a file sets up at most.
const MaxConnections = 16

// Preferences is what a device shall set up.
type Preferences struct {
	// Connections are the servers, 1 to MaxConnections. ATAK keeps passwords by host, so connections to one host must have
	// the same.
	Connections []Connection
	// Entries are further preferences of the application, in their order, none twice.
	Entries []Entry

	// Unindexed is what [ReadATAKPreferences] found: the certificates are named by keys without an index, as
	// RenderUnindexedPreferences writes them. The Render functions do not look at it.
	Unindexed bool
	// Left are the keys of entries that ReadATAKPreferences found and left out, since no Render function takes them. The
	// Render functions do not look at it.
	Left []string
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
	ClientPassword string // not empty, but for RenderUnindexedPreferences
}

type xmlConnection struct {
	Description, Host          xmlText
	Port                       int
	Enabled                    bool
	CAFile, CAPassword         xmlText
	ClientFile, ClientPassword xmlText
}

// RenderATAKPreferences returns the .pref file of an ATAK data package: every connection with its certificates by the
// keys that carry its index, which is the one form in which ATAK ties them to that server, and files as cert/NAME,
// where ATAK puts every .p12 of a package. ATAK is told to show whether it is connected, unless an entry says otherwise
// (displayServerConnectionWidget).
//
// It refuses a host with a colon (ATAK splits host:port:ssl at colons into exactly three parts), two connections to one
// address, two passwords for one host, a file that is named twice (ATAK deletes it once it has imported it: each
// connection needs its own copies), and whatever a device would not read back as it was given. Of entries it refuses those
// whose key speaks of connections, certificates, passwords or tokens, and bestDeviceUID, which is one device's own.
func RenderATAKPreferences(p Preferences) ([]byte, error) {
	if len(p.Connections) == 0 {
		return nil, errors.New("preferences need at least one connection")
	}
	if len(p.Connections) > MaxConnections {
		return nil, fmt.Errorf("preferences have %d connections: at most %d are read", len(p.Connections), MaxConnections)
	}
	connections := make([]xmlConnection, len(p.Connections))
	byHost, addresses, used := map[string]Connection{}, map[string]bool{}, map[string]bool{}
	for i, c := range p.Connections {
		vetted, err := vetConnection(c)
		if err == nil {
			vetted.ClientPassword, err = vetText("the identity's password", c.ClientPassword, true)
		}
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
	entries := p.Entries
	if !slices.ContainsFunc(entries, isWidget) {
		entries = append([]Entry{shown}, entries...)
	}
	more, err := vetEntries(entries)
	if err != nil {
		return nil, err
	}
	return render("atak.pref.tmpl", struct {
		Connections []xmlConnection
		Entries     []xmlEntry
	}{connections, more})
}

// shown is what the form for ATAK has where nothing is said.
var shown = Entry{Key: widget, Kind: Boolean, Value: "true"}

func isWidget(e Entry) bool { return e.Key == widget }

// RenderUnindexedPreferences returns the .pref file of a data package for iTAK, TAK Aware and WinTAK: one connection, and
// its certificates by the keys without an index, which stand for the application as a whole. Files are named cert/NAME,
// wherever they are in the package: these clients look for NAME. Where ClientPassword is empty the file names none. An
// entry displayServerConnectionWidget is left out: it is ATAK's, and iTAK has been reported to import no file that has it.
//
// It refuses what [RenderATAKPreferences] does, and more than one connection: the keys name one identity only.
func RenderUnindexedPreferences(p Preferences) ([]byte, error) {
	if len(p.Connections) != 1 {
		return nil, fmt.Errorf("preferences of this form have exactly one connection, not %d: their keys name one identity", len(p.Connections))
	}
	c := p.Connections[0]
	vetted, err := vetConnection(c)
	if err == nil && c.ClientPassword != "" {
		vetted.ClientPassword, err = vetText("the identity's password", c.ClientPassword, true)
	}
	if err != nil {
		return nil, fmt.Errorf("connection 0: %w", err)
	}
	if strings.EqualFold(c.CAFile, c.ClientFile) {
		return nil, fmt.Errorf("connection 0: %q cannot be both the identity and the trust store", c.CAFile)
	}
	more, err := vetEntries(slices.DeleteFunc(slices.Clone(p.Entries), isWidget))
	if err != nil {
		return nil, err
	}
	return render("unindexed.pref.tmpl", struct {
		Connection xmlConnection
		Entries    []xmlEntry
	}{vetted, more})
}

// vetConnection leaves the client's password to the form.
func vetConnection(c Connection) (v xmlConnection, err error) {
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
	v.ClientFile, err = vetFile("the identity's file name", c.ClientFile)
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
