package templates

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ReadATAKPreferences is the inverse of [RenderATAKPreferences] and [RenderUnindexedPreferences]. It reads the .pref files
// of other tools too: those that name certificates by keys without an index, which stand for every connection, and files
// by their path on a device, of which the name is kept. What a connection does not say is empty; only its address is
// required, as host:port:ssl. Of the further entries of the application those are returned that could be rendered, the
// one that every file for ATAK has aside; the keys of the others are in Left.
//
// It refuses more than 1 MiB, more than MaxConnections, a DTD, an entry that is there twice, and connections of another
// protocol, which have no certificate. The error holds no value of a password.
func ReadATAKPreferences(data []byte) (Preferences, error) {
	s := settings{values: map[string]map[string]string{}}
	if err := walk(data, s.add); err != nil {
		return Preferences{}, err
	}
	given, ok := s.values[streams]["count"]
	if !ok {
		return Preferences{}, errors.New("it sets up no connection: there is no entry count in " + streams)
	}
	count, err := strconv.Atoi(given)
	if err != nil || count < 1 || count > MaxConnections {
		return Preferences{}, fmt.Errorf("the count of its connections is %.20q: 1 to %d are read", given, MaxConnections)
	}
	var p Preferences
	for i := range count {
		c, err := s.connection(strconv.Itoa(i))
		if err != nil {
			return Preferences{}, err
		}
		p.Connections = append(p.Connections, c)
	}
	p.Unindexed = s.unindexed(count)
	p.Entries, p.Left = s.entries()
	return p, nil
}

// The blocks of entries that say something about connections. ATAK takes three names for its own.
const (
	streams = "cot_streams"
	app     = "com.atakmap.app_preferences"
)

// blockOf returns app for each of its three names, else the name itself.
func blockOf(name string) string {
	switch name {
	case "com.atakmap.civ_preferences", "com.atakmap.fvey_preferences":
		return app
	}
	return name
}

// settings are the entries by block and key, and those of the application in their order.
type settings struct {
	values map[string]map[string]string
	app    []Entry
}

func (s *settings) add(e element) error {
	if e.path != entryPath {
		return nil
	}
	block, key := blockOf(e.parent), e.attributes["key"]
	if block != app && block != streams {
		return nil
	}
	if _, ok := s.values[block][key]; ok {
		return fmt.Errorf("the entry %.100q is there twice", key)
	}
	if s.values[block] == nil {
		s.values[block] = map[string]string{}
	}
	s.values[block][key] = string(e.text)
	if block == app {
		s.app = append(s.app, entryOf(e))
	}
	return nil
}

const entryPath = "preferences/preference/entry"

// entryOf returns an entry whose kind is "" where the class is none of Java's own.
func entryOf(e element) Entry {
	kind, ok := strings.CutPrefix(e.attributes["class"], "class java.lang.")
	if !ok {
		kind = ""
	}
	return Entry{Key: e.attributes["key"], Kind: Kind(kind), Value: string(e.text)}
}

// unindexed tells whether the certificates of all connections are named by keys without an index.
func (s *settings) unindexed(count int) bool {
	for i := range count {
		for _, key := range []string{caLocation, certificateLocation} {
			if _, ok := s.values[streams][key+strconv.Itoa(i)]; ok {
				return false
			}
		}
	}
	return s.values[app][caLocation] != "" || s.values[app][certificateLocation] != ""
}

// entries sorts what can be rendered again from what cannot.
func (s *settings) entries() (entries []Entry, left []string) {
	for _, e := range s.app {
		switch e.Key {
		case caLocation, caPassword, certificateLocation, clientPassword:
			continue
		}
		if e == shown {
			continue
		}
		if _, err := vetEntry(e); err != nil {
			left = append(left, e.Key)
			continue
		}
		entries = append(entries, e)
	}
	return entries, left
}

func (s *settings) connection(index string) (c Connection, err error) {
	address, ok := s.values[streams]["connectString"+index]
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
		Description: s.values[streams]["description"+index],
		Host:        parts[0],
		Port:        int(port),
		Enabled:     s.values[streams]["enabled"+index] == "true",

		CAFile:         baseName(s.either(caLocation, index)),
		CAPassword:     s.either(caPassword, index),
		ClientFile:     baseName(s.either(certificateLocation, index)),
		ClientPassword: s.either(clientPassword, index),
	}, nil
}

// either returns the connection's own entry, else the one without an index.
func (s *settings) either(key, index string) string {
	if value, ok := s.values[streams][key+index]; ok {
		return value
	}
	return s.values[app][key]
}

// baseName drops the folder, which says where the file is on a device: of Android, or of Windows.
func baseName(location string) string { return location[strings.LastIndexAny(location, `/\`)+1:] }
