package templates

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxConnections bounds what a file may set up.
const maxConnections = 16

// ReadATAKPreferences is the inverse of [RenderATAKPreferences]. It reads the .pref files of other tools too: those that
// name certificates by keys without an index, which stand for every connection, and files by their path on a device, of
// which the name is kept. What a connection does not say is empty; only its address is required, as host:port:ssl.
//
// It refuses more than 1 MiB, more than 16 connections, a DTD, an entry that is there twice, and connections of another
// protocol, which have no certificate. The error holds no value of a password.
func ReadATAKPreferences(data []byte) (Preferences, error) {
	s := settings{}
	if err := walk(data, s.add); err != nil {
		return Preferences{}, err
	}
	given, ok := s[streams]["count"]
	if !ok {
		return Preferences{}, errors.New("it sets up no connection: there is no entry count in " + streams)
	}
	count, err := strconv.Atoi(given)
	if err != nil || count < 1 || count > maxConnections {
		return Preferences{}, fmt.Errorf("the count of its connections is %.20q: 1 to %d are read", given, maxConnections)
	}
	var p Preferences
	for i := range count {
		c, err := s.connection(strconv.Itoa(i))
		if err != nil {
			return Preferences{}, err
		}
		p.Connections = append(p.Connections, c)
	}
	return p, nil
}

// The blocks of entries that say something about connections. ATAK takes three names for its own.
const (
	streams = "cot_streams"
	app     = "com.atakmap.app_preferences"
)

// settings are the entries by block and key.
type settings map[string]map[string]string

func (s settings) add(e element) error {
	if e.path != "preferences/preference/entry" {
		return nil
	}
	block, key := e.parent, e.attributes["key"]
	switch block {
	case "com.atakmap.civ_preferences", "com.atakmap.fvey_preferences":
		block = app
	case app, streams:
	default:
		return nil
	}
	if _, ok := s[block][key]; ok {
		return fmt.Errorf("the entry %.100q is there twice", key)
	}
	if s[block] == nil {
		s[block] = map[string]string{}
	}
	s[block][key] = string(e.text)
	return nil
}

func (s settings) connection(index string) (c Connection, err error) {
	address, ok := s[streams]["connectString"+index]
	if !ok {
		return c, fmt.Errorf("connection %s has no connectString%s", index, index)
	}
	parts := strings.Split(address, ":")
	if len(parts) != 3 {
		return c, fmt.Errorf("connection %s goes to %.300q, where host:port:ssl is read", index, address)
	}
	if parts[2] != "ssl" {
		return c, fmt.Errorf("connection %s goes to %.300q: only ssl has a client's certificate", index, address)
	}
	port, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil || port == 0 {
		return c, fmt.Errorf("connection %s goes to %.300q, whose port is none", index, address)
	}
	return Connection{
		Description: s[streams]["description"+index],
		Host:        parts[0],
		Port:        int(port),
		Enabled:     s[streams]["enabled"+index] == "true",

		CAFile:         baseName(s.either("caLocation", index)),
		CAPassword:     s.either("caPassword", index),
		ClientFile:     baseName(s.either("certificateLocation", index)),
		ClientPassword: s.either("clientPassword", index),
	}, nil
}

// either returns the connection's own entry, else the one without an index.
func (s settings) either(key, index string) string {
	if value, ok := s[streams][key+index]; ok {
		return value
	}
	return s[app][key]
}

// baseName drops the folder, which says where the file is on a device: of Android, or of Windows.
func baseName(location string) string { return location[strings.LastIndexAny(location, `/\`)+1:] }
