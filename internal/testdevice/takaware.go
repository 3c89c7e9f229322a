package testdevice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// aware is what SwiftTAK keeps of the preferences, whatever block they stand in and whatever class they have.
type aware struct {
	description, address       string
	identity, password         string
	trustNames, trustPasswords map[string]string // by the key's ending
}

// OpenTAKAware reads a package as TAK Aware does, by the source of its library SwiftTAK: the first .pref of the zip, the
// first connection, files by their name at the root or in the one folder at the root. It asks nobody for a password.
func OpenTAKAware(data []byte) (*Package, error) {
	files, names, err := unzip(data)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	p := &Package{Files: names, Enabled: true}
	root, preferences := "", ""
	for _, name := range names {
		if strings.HasSuffix(name, ".pref") {
			preferences = name
			break
		}
	}
	if preferences == "" {
		return nil, errors.New("there is no .pref file")
	}
	if parts := strings.Split(preferences, "/"); len(parts) > 1 {
		root = parts[0] + "/"
	}
	read, err := readAware(files[preferences])
	if err != nil {
		return nil, err
	}
	p.Description = read.description
	parts := strings.Split(read.address, ":")
	if len(parts) != 3 || parts[2] != "ssl" {
		return nil, fmt.Errorf("the .pref file: the connection is to %q", read.address)
	}
	p.Host, p.Protocol = parts[0], parts[2]
	if p.Port, err = strconv.Atoi(parts[1]); err != nil {
		return nil, fmt.Errorf("the .pref file: the connection is to %q", read.address)
	}
	at := func(location string) []byte { return files[root+location[strings.LastIndex(location, "/")+1:]] }
	for index, location := range read.trustNames {
		store := at(location)
		if store == nil {
			return nil, fmt.Errorf("there is no trust store %q", location)
		}
		if err := p.believe(store, read.trustPasswords[index]); err != nil {
			return nil, fmt.Errorf("the trust store: %w", err)
		}
	}
	if len(p.Authorities) == 0 {
		return nil, errors.New("no server truststore certificate was found in the data package")
	}
	identity := at(read.identity)
	if identity == nil {
		return nil, fmt.Errorf("there is no identity %q", read.identity)
	}
	if err := readable(identity); err != nil {
		return nil, fmt.Errorf("the identity: %w", err)
	}
	if p.Identity, err = leafOnly(identity, read.password); err != nil {
		return nil, fmt.Errorf("the identity: %w", err)
	}
	return p, nil
}

// readAware keeps the text of each entry up to its end, whatever pieces it came in.
func readAware(data []byte) (aware, error) {
	read := aware{trustNames: map[string]string{}, trustPasswords: map[string]string{}}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	key, text := "", ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return read, fmt.Errorf("the .pref file: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "entry" {
				key, text = attribute(t, "key"), ""
			}
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			if t.Name.Local == "entry" {
				read.take(key, text)
			}
		}
	}
}

func (a *aware) take(key, text string) {
	switch key {
	case "description", "description0":
		a.description = text
	case "connectString", "connectString0":
		a.address = text
	case "clientPassword":
		a.password = text
	case "certificateLocation":
		a.identity = text
	default:
		if index, ok := strings.CutPrefix(key, "caLocation"); ok {
			a.trustNames[index] = text
		} else if index, ok := strings.CutPrefix(key, "caPassword"); ok {
			a.trustPasswords[index] = text
		}
	}
}
