package templates

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

//go:embed *.tmpl
var files embed.FS

// forms never changes after it was made.
var forms = template.Must(template.ParseFS(files, "*.tmpl"))

// xmlText is a string that a template can only write escaped, as text of an element or value of an attribute.
type xmlText string

// The predefined entities and decimal references of ASCII only: Android's DOM parser resolves no reference beyond 16
// bits, so anything else stands as it is in UTF-8.
var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;",
	"\t", "&#9;", "\n", "&#10;", "\r", "&#13;")

func (t xmlText) String() string { return xmlEscaper.Replace(string(t)) }

// vetText returns value for a template. It tells why a device would not read it back as it is: it is empty (an element
// without a text node), begins or ends with a blank, is not UTF-8, or has a character that XML 1.0 (2.2) has not. A
// value that is secret is not repeated in the error.
func vetText(what, value string, hidden bool) (xmlText, error) {
	named := fmt.Sprintf("%s %.200q", what, value)
	if hidden {
		named = what
	}
	switch {
	case value == "":
		return "", fmt.Errorf("%s is empty", what)
	case !utf8.ValidString(value):
		return "", fmt.Errorf("%s is not UTF-8", named)
	case strings.TrimSpace(value) != value:
		return "", fmt.Errorf("%s begins or ends with a blank, which a device may drop", named)
	}
	for _, r := range value {
		if !inXML(r) {
			if hidden {
				return "", fmt.Errorf("%s has a character that XML cannot hold", named)
			}
			return "", fmt.Errorf("%s has the character %U, which XML cannot hold", named, r)
		}
	}
	return xmlText(value), nil
}

// inXML follows XML 1.0, 2.2. The C1 controls, which are legal and useless, are refused too: parsers differ on U+0085.
func inXML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case unicode.IsControl(r), r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

// vetFile tells why a name would not be the same in the zip, on the device's disk and in the preferences: ATAK strips
// characters from names, other clients strip others; what is taken here all of them leave alone.
func vetFile(what, name string) (xmlText, error) {
	if name == "" {
		return "", fmt.Errorf("%s is empty", what)
	}
	if strings.Trim(name, fileCharacters) != "" || strings.HasPrefix(name, ".") || len(name) > 100 {
		return "", fmt.Errorf("%s %.200q: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device",
			what, name)
	}
	return xmlText(name), nil
}

const fileCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

func render(name string, data any) ([]byte, error) {
	var b strings.Builder
	if err := forms.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("filling in %s: %w", name, err)
	}
	return []byte(b.String()), nil
}
