package testdevice

import (
	"errors"
	"fmt"
	"strings"
)

// OpenITAK reads a package in the form of those that are reported to work in iTAK, whose source is closed: three files and
// no folder. It takes every .p12 that is not the identity for a trust store. The user types a password where the
// preferences have none; "" is a user who was not asked.
func OpenITAK(data []byte, typed string) (*Package, error) {
	files, names, err := unzip(data)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	p := &Package{Files: names}
	var preferences [][]byte
	bundles := 0
	for _, name := range names {
		switch {
		case strings.Contains(name, "/"):
			return nil, fmt.Errorf("%q is in a folder, where iTAK does not look", name)
		case strings.HasSuffix(name, ".pref"):
			preferences = append(preferences, files[name])
		case strings.HasSuffix(name, ".p12"):
			bundles++
		case name != "manifest.xml":
			return nil, fmt.Errorf("%q is nothing that iTAK is known to read", name)
		}
	}
	if len(preferences) != 1 || bundles != 2 {
		return nil, fmt.Errorf("%d .pref and %d .p12 files, where iTAK needs one, the identity and the trust store", len(preferences), bundles)
	}
	s, err := readPreferences(preferences[0])
	if err != nil {
		return nil, fmt.Errorf("the .pref file: %w", err)
	}
	if err := p.set(s); err != nil {
		return nil, err
	}
	if _, ok := p.Settings["displayServerConnectionWidget"]; ok {
		return nil, errors.New("the .pref file: iTAK does not import one with displayServerConnectionWidget")
	}
	for _, key := range []string{"caLocation", "certificateLocation"} {
		if location := s[app][key].value; !strings.HasPrefix(location, folder) || strings.Count(location, "/") != 1 {
			return nil, fmt.Errorf("the .pref file: %s is %q, and iTAK takes cert/ and the name", key, location)
		}
	}
	return p, p.connectAlone(s, files, typed)
}
