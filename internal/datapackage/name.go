package datapackage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSafeName leaves room for what makes a file name unique, and an ending, within what every file system takes.
const maxSafeName = 40

// SafeName returns the form of a name that every device and file system leaves as it is: at most 40 ASCII letters,
// digits, '.', '_' and '-'. Accents are dropped, anything else becomes '_'. It does not begin with '.' or '-', does not
// end with '.', and is no device name of Windows; what has no ASCII form at all becomes "name". Different names may have
// the same SafeName.
func SafeName(name string) string {
	// More than this can matter only where nearly all of it is dropped.
	if len(name) > 16*maxSafeName {
		name = name[:16*maxSafeName]
	}
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(name, "_")) {
		s := string(r)
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-'):
		default:
			s = latin[r]
		}
		if s == "" {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap = false
		b.WriteString(s)
	}
	safe := strings.TrimLeft(b.String(), ".-_")
	if len(safe) > maxSafeName {
		safe = safe[:maxSafeName]
	}
	safe = strings.TrimRight(safe, ".-_")
	if safe == "" {
		return "name"
	}
	// Windows takes what stands before the first dot for a device, whatever follows.
	if stem, rest, _ := strings.Cut(safe, "."); windowsDevice(stem) {
		safe = stem + "_" + strings.TrimLeft(rest, ".-_")
	}
	return safe
}

// latin has the letters that no decomposition of Unicode takes to ASCII.
var latin = map[rune]string{
	'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'Ø': "O", 'ø': "o", 'Ł': "L", 'ł': "l", 'Đ': "D", 'đ': "d",
	'Ð': "D", 'ð': "d", 'Þ': "Th", 'þ': "th", 'ß': "ss", 'ẞ': "SS", 'ı': "i", 'Ħ': "H", 'ħ': "h",
}

func windowsDevice(stem string) bool {
	s := strings.ToUpper(stem)
	switch s {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(s) == 4 && (strings.HasPrefix(s, "COM") || strings.HasPrefix(s, "LPT")) && s[3] >= '0' && s[3] <= '9'
}

// FileStem returns the name, without an ending, of a file that belongs to a certificate: the SafeName of whom it was
// issued to, '-', and the first eight digits of its serial in hex, as crl.Serial writes it (all of them where there are
// fewer). Other characters of serialHex are dropped.
func FileStem(name, serialHex string) string {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, strings.ToLower(serialHex))
	return SafeName(name) + "-" + digits[:min(8, len(digits))]
}

// fileNames are the names of a connection's files, without a folder.
type fileNames struct{ trust, identity string }

// names returns names that no other package uses, nor another connection of this one: WinTAK keeps all the .p12 files of
// all servers in one folder, by name. They tell client and certificate, and by the tag host, port and trusted authorities.
func (c Contents) names(i int) fileNames {
	tag := c.tag(c.Connections[i])
	return fileNames{"ca-" + tag + ".p12", c.fileStem() + "-" + tag + ".p12"}
}

// stem is the name, without an ending, of what stands for all connections.
func (c Contents) stem() string { return c.fileStem() + "-" + c.tag(c.Connections...) }

func (c Contents) fileStem() string {
	serial := c.Certificate.SerialNumber.Text(16)
	if len(serial)%2 == 1 {
		serial = "0" + serial
	}
	return FileStem(c.Name, serial)
}

func (c Contents) tag(connections ...Connection) string {
	return hex.EncodeToString(c.digest("file names", connections)[:4])
}

// derivedUID is a UUID of version 8 (RFC 9562, 5.8), the same for the same hosts, ports and certificates.
func (c Contents) derivedUID(purpose string) string {
	u := c.digest(purpose, c.Connections)[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// trustPassword is that of a trust store which does not share the identity's: no secret, since it stands beside it.
func (c Contents) trustPassword() string {
	return hex.EncodeToString(c.digest("trust store", c.Connections)[:8])
}

// digest is a hash of what makes this package another than the next. The client's password is no part of it: four bytes
// in a file name would help to guess it.
func (c Contents) digest(purpose string, connections []Connection) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "ftsca data package, %s\n", purpose)
	for _, to := range connections {
		fmt.Fprintf(h, "%s:%d\n", to.Host, to.Port)
	}
	fmt.Fprintf(h, "%x\n", sha256.Sum256(c.Certificate.Raw))
	for _, authority := range c.Authorities {
		fmt.Fprintf(h, "%x\n", sha256.Sum256(authority.Raw))
	}
	return h.Sum(nil)
}
