package testdevice

import (
	"errors"
	"fmt"
	"strings"
)

// OpenWinTAK reads a package within a package, in the form of those that are reported to work in WinTAK, whose source is
// closed: a manifest in each, keys without an index. The user types a password where the preferences have none; "" is a
// user who was not asked.
func OpenWinTAK(data []byte, typed string) (*Package, error) {
	outer, names, err := unzip(data)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	list, err := readManifest(outer)
	if err != nil {
		return nil, err
	}
	if len(list.entries) != 1 || !strings.HasSuffix(list.entries[0], ".zip") || len(outer) != 2 {
		return nil, fmt.Errorf("the outer package holds %q, and lists %q: not one package alone", names, list.entries)
	}
	inner, ok := outer[list.entries[0]]
	if !ok {
		return nil, fmt.Errorf("the manifest names %q, which is not in the zip", list.entries[0])
	}
	files, within, err := unzip(inner)
	if err != nil {
		return nil, fmt.Errorf("the package within: %w", err)
	}
	p := &Package{Files: within}
	settings, d, err := p.extract(files)
	if err != nil {
		return nil, fmt.Errorf("the package within: %w", err)
	}
	if p.UID == list.uid {
		return nil, errors.New("both packages have one uid")
	}
	if len(p.Others)+len(d)+2 != len(files) {
		return nil, fmt.Errorf("the package within holds %q, of which its manifest does not list all", within)
	}
	// WinTAK's folder SslCerts has files by name, whatever folder the preferences speak of.
	return p, p.connectAlone(settings, disk(rename(d)), typed)
}

func rename(d disk) map[string][]byte {
	named := map[string][]byte{}
	for location, content := range d {
		named[strings.TrimPrefix(location, folder)] = content
	}
	return named
}

// connectAlone sets up the one connection whose certificates stand without an index.
func (p *Package) connectAlone(s settings, files map[string][]byte, typed string) error {
	fail := func(err error) error { return fmt.Errorf("the .pref file: %w", err) }
	n, err := connections(s)
	if err != nil {
		return fail(err)
	}
	if n != 1 {
		return fail(fmt.Errorf("it sets up %d connections, and names one identity", n))
	}
	if err := p.connect(s, 0); err != nil {
		return fail(err)
	}
	for _, key := range certificateKeys {
		if _, ok := s[streams][key+"0"]; ok {
			return fail(fmt.Errorf("%s0 has an index, and the client knows it without", key))
		}
	}
	named := func(key, password string) ([]byte, string, error) {
		location, err := s.get(app, key, stringClass)
		if err != nil {
			return nil, "", fail(err)
		}
		content, ok := files[location[strings.LastIndex(location, "/")+1:]]
		if !ok {
			return nil, "", fmt.Errorf("%s: %q is not on the device", key, location)
		}
		if err := readable(content); err != nil {
			return nil, "", fmt.Errorf("%s: %w", key, err)
		}
		word, err := s.get(app, password, stringClass)
		if err != nil && password == "clientPassword" && typed != "" {
			return content, typed, nil
		}
		if err != nil {
			return nil, "", fail(err)
		}
		return content, word, nil
	}
	trust, password, err := named("caLocation", "caPassword")
	if err != nil {
		return err
	}
	if err := p.believe(trust, password); err != nil {
		return fmt.Errorf("caLocation: %w", err)
	}
	identity, password, err := named("certificateLocation", "clientPassword")
	if err != nil {
		return err
	}
	if p.Identity, err = leafOnly(identity, password); err != nil {
		return fmt.Errorf("certificateLocation: %w", err)
	}
	return nil
}
