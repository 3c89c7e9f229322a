package testdevice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// recognised is how many characters ATAK reads to see whether a file holds preferences.
const recognised = 8192

// The blocks of preferences that matter for a connection.
const (
	streams = "cot_streams"
	app     = "com.atakmap.app_preferences"
)

const (
	stringClass  = "class java.lang.String"
	booleanClass = "class java.lang.Boolean"
	integerClass = "class java.lang.Integer"
)

type setting struct{ class, value string }

// settings are the entries by block and key.
type settings map[string]map[string]setting

// get returns the value of an entry of the class that ATAK expects for it.
func (s settings) get(block, key, class string) (string, error) {
	entry, ok := s[block][key]
	switch {
	case !ok:
		return "", fmt.Errorf("%s has no entry %s", block, key)
	case entry.class != class:
		return "", fmt.Errorf("the class of %s is %q, not %q", key, entry.class, class)
	}
	return entry.value, nil
}

func readPreferences(data []byte) (settings, error) {
	// Java counts UTF-16 units.
	start := utf16.Encode([]rune(string(data)))
	head := string(utf16.Decode(start[:min(recognised, len(start))]))
	for _, mark := range []string{"<preferences", "<entry key"} {
		if !strings.Contains(head, mark) {
			return nil, fmt.Errorf("its first %d characters have no %q, so ATAK does not take it for one", recognised, mark)
		}
	}
	if bytes.Contains(data, []byte("<![CDATA[")) {
		return nil, errors.New("it has a CDATA section, which is no text node")
	}
	read := settings{}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	block, depth := "", 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return read, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			switch name := t.Name.Local; {
			case depth == 1 && name == "preferences":
			case depth == 2 && name == "preference":
				block = attribute(t, "name")
			case depth == 3 && name == "entry":
				if err := read.add(block, t, decoder); err != nil {
					return nil, err
				}
				depth--
			default:
				return nil, fmt.Errorf("the element %s does not belong where it is", name)
			}
		}
	}
}

// add reads an entry to its end tag. Its value is its first text node.
func (s settings) add(block string, start xml.StartElement, decoder *xml.Decoder) error {
	key, class := attribute(start, "key"), attribute(start, "class")
	switch class {
	case stringClass, booleanClass, integerClass:
	default:
		return fmt.Errorf("the class of %s is %q, which ATAK does not know", key, class)
	}
	value := ""
	for first := true; ; first = false {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			if !first {
				return fmt.Errorf("the text of %s is in pieces, and ATAK reads the first", key)
			}
			value = string(t)
			continue
		case xml.EndElement:
			if value == "" {
				return fmt.Errorf("%s has no text", key)
			}
			if s[block] == nil {
				s[block] = map[string]setting{}
			}
			if _, ok := s[block][key]; ok {
				return fmt.Errorf("%s is there twice", key)
			}
			s[block][key] = setting{class, value}
			return nil
		}
		return fmt.Errorf("%s holds something other than text", key)
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// connections returns how many there are.
func connections(s settings) (int, error) {
	count, err := s.get(streams, "count", integerClass)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("the count of connections is %q", count)
	}
	return n, nil
}

// connect reads a connection by the keys that carry its index, as ATAK does.
func (p *Package) connect(s settings, index int) (err error) {
	at := func(key string) string { return key + strconv.Itoa(index) }
	if p.Description, err = s.get(streams, at("description"), stringClass); err != nil {
		return err
	}
	enabled, err := s.get(streams, at("enabled"), booleanClass)
	if err != nil {
		return err
	}
	p.Enabled = enabled == "true"
	address, err := s.get(streams, at("connectString"), stringClass)
	if err != nil {
		return err
	}
	parts := strings.Split(address, ":")
	if len(parts) != 3 {
		return fmt.Errorf("%s is %q, which has %d parts, not 3", at("connectString"), address, len(parts))
	}
	p.Host, p.Protocol = parts[0], parts[2]
	if p.Port, err = strconv.Atoi(parts[1]); err != nil || p.Port < 1 || p.Port > 65535 {
		return fmt.Errorf("%s is %q, which has no port", at("connectString"), address)
	}
	if p.Protocol != "ssl" {
		return fmt.Errorf("the protocol of %q is not ssl", address)
	}
	return nil
}

// certificateKeys are those that ATAK forgets as soon as it has followed them.
var certificateKeys = []string{"caLocation", "caPassword", "certificateLocation", "clientPassword"}

// set keeps the application's own preferences.
func (p *Package) set(s settings) (err error) {
	p.Settings = map[string]string{}
	for key, entry := range s[app] {
		if !slices.Contains(certificateKeys, key) {
			p.Settings[key] = entry.value
		}
	}
	if _, ok := s[app]["locationCallsign"]; ok {
		if p.Callsign, err = s.get(app, "locationCallsign", stringClass); err != nil {
			return fmt.Errorf("the .pref file: %w", err)
		}
	}
	return nil
}
