package templates

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// QuickConnect is a server in the form that iTAK takes from a QR code. It brings no certificate: the device has one
// already, or enrols.
type QuickConnect struct {
	// Description is what the device calls the connection: any text without commas, quotes and control characters.
	Description string
	Host        string // a DNS name or an IPv4 address
	Port        int    // 1 to 65535
	Protocol    string // "ssl" or "tcp"
}

// RenderQuickConnect returns "description,host,port,protocol": exactly four fields with three commas between them, since
// nothing says that iTAK knows quotes.
func RenderQuickConnect(c QuickConnect) (string, error) {
	if _, err := vetText("description", c.Description, false); err != nil {
		return "", fmt.Errorf("quick connect: %w", err)
	}
	for _, r := range c.Description {
		if r == ',' || r == '"' || unicode.IsControl(r) {
			return "", fmt.Errorf("quick connect: description %.200q: %q would end it, since its fields stand between commas and know no quotes", c.Description, r)
		}
	}
	if _, err := vetHost(c.Host); err != nil {
		return "", fmt.Errorf("quick connect: %w", err)
	}
	switch {
	case c.Port < 1 || c.Port > 65535:
		return "", fmt.Errorf("quick connect: port %d is not in 1 to 65535", c.Port)
	case c.Protocol != "ssl" && c.Protocol != "tcp":
		return "", fmt.Errorf("quick connect: protocol %.20q is neither ssl nor tcp", c.Protocol)
	}
	return fmt.Sprintf("%s,%s,%d,%s", c.Description, c.Host, c.Port, c.Protocol), nil
}

// importLink is the address by which ATAK downloads and imports a package (ATAK 5.5, CotMapComponent).
const importLink = "tak://com.atakmap.app/import?url="

// RenderImportLink returns the address that makes ATAK download a package from another address and import it. It refuses
// what is no address of http or https with a host, and one with a user's name or a password in it, which ATAK would keep
// and show.
func RenderImportLink(address string) (string, error) {
	fail := func(why error) (string, error) {
		return "", fmt.Errorf("import link to %.300q: %w", address, why)
	}
	if !utf8.ValidString(address) || strings.IndexFunc(address, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) >= 0 {
		return fail(errors.New("an address has no blanks and no control characters; write %20 for a blank"))
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fail(errors.New("it is no address"))
	case u.Scheme != "https" && u.Scheme != "http":
		return fail(errors.New("give one that begins with https://"))
	case u.Hostname() == "":
		return fail(errors.New("it names no server"))
	case u.User != nil:
		return "", errors.New("import link: the address has a user's name in it, which would be on every device: take it out")
	case u.Fragment != "":
		return fail(errors.New("what follows # is not sent to a server"))
	}
	return importLink + url.QueryEscape(address), nil
}
