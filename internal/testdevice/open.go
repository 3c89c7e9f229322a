package testdevice

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// Package is what a device has understood of a data package: one connection, and the certificates for it.
type Package struct {
	Name, UID   string // of the manifest
	Description string
	Host        string
	Port        int
	Protocol    string // "ssl"
	Enabled     bool   // whether the device connects by itself
	Callsign    string // what the package makes the user's callsign; "" where it says nothing

	// Identity is the client's key and its certificate alone: ATAK sends no chain.
	Identity tls.Certificate
	// Authorities is the trust store, in its order.
	Authorities []*x509.Certificate
	// Files are the names of all files in the zip, in order.
	Files []string
	// Settings are the values of the application's preferences by key, those of certificates and passwords aside.
	Settings map[string]string
	// Others are the further files that the device is given, by their path in the zip.
	Others map[string][]byte

	// Now is the device's clock; nil is that of the machine.
	Now func() time.Time
}

const (
	maxFiles = 64
	maxFile  = 4 << 20
)

// Open reads a package as ATAK does when its user imports it, and returns its first connection. The error says which rule
// the package breaks; most of them ATAK passes over in silence, and then does not connect.
func Open(data []byte) (*Package, error) {
	all, err := OpenAll(data)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// OpenAll is Open for all connections of a package.
func OpenAll(data []byte) ([]*Package, error) {
	files, names, err := unzip(data)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	base := Package{Files: names}
	settings, d, err := base.extract(files)
	if err != nil {
		return nil, err
	}
	count, err := connections(settings)
	if err != nil {
		return nil, fmt.Errorf("the .pref file: %w", err)
	}
	var all []*Package
	for i := range count {
		p := base
		if err := p.connect(settings, i); err != nil {
			return nil, fmt.Errorf("the .pref file: %w", err)
		}
		all = append(all, &p)
	}
	if err := importCertificates(all, settings, d); err != nil {
		return nil, err
	}
	return all, nil
}

// extract reads what the manifest lists.
func (p *Package) extract(files map[string][]byte) (settings, disk, error) {
	list, err := readManifest(files)
	if err != nil {
		return nil, nil, err
	}
	p.Name, p.UID, p.Others = list.name, list.uid, map[string][]byte{}
	d := disk{}
	var preferences [][]byte
	for _, entry := range list.entries {
		content, ok := files[entry]
		switch {
		case !ok:
			return nil, nil, fmt.Errorf("the manifest names %q, which is not in the zip", entry)
		case strings.HasSuffix(entry, ".p12"):
			if err := d.put(path.Base(entry), content); err != nil {
				return nil, nil, err
			}
		case strings.HasSuffix(entry, ".pref"):
			preferences = append(preferences, content)
		default:
			p.Others[entry] = content
		}
	}
	if len(preferences) != 1 {
		return nil, nil, fmt.Errorf("the manifest lists %d .pref files, not one", len(preferences))
	}
	settings, err := readPreferences(preferences[0])
	if err != nil {
		return nil, nil, fmt.Errorf("the .pref file: %w", err)
	}
	return settings, d, p.set(settings)
}

func unzip(data []byte) (files map[string][]byte, names []string, err error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	if len(archive.File) > maxFiles {
		return nil, nil, fmt.Errorf("%d files are too many", len(archive.File))
	}
	files = map[string][]byte{}
	for _, f := range archive.File {
		if _, ok := files[f.Name]; ok {
			return nil, nil, fmt.Errorf("%q is in it twice", f.Name)
		}
		if files[f.Name], err = content(f); err != nil {
			return nil, nil, fmt.Errorf("%q: %w", f.Name, err)
		}
		names = append(names, f.Name)
	}
	return files, names, nil
}

func content(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("it is too large")
	}
	return b, err
}

// disk is the one folder, cert/, to which ATAK copies every .p12 wherever it stood in the zip.
type disk map[string][]byte

const (
	folder = "cert/"
	// kept are the characters that ATAK 4.6 leaves in a file's name; it strips the others.
	kept = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ',%$#:@+=&()[]"
)

func (d disk) put(name string, content []byte) error {
	name = strings.ReplaceAll(strings.Map(func(r rune) rune {
		if strings.ContainsRune(kept, r) {
			return r
		}
		return -1
	}, name), "..", "")
	if _, ok := d[folder+name]; ok {
		return fmt.Errorf("two files of the package are called %q on the device", name)
	}
	d[folder+name] = content
	return nil
}

// take returns a file and deletes it, as ATAK does once it has imported it.
func (d disk) take(location string) ([]byte, error) {
	content, ok := d[location]
	if !ok {
		there := make([]string, 0, len(d))
		for name := range d {
			there = append(there, name)
		}
		slices.Sort(there)
		return nil, fmt.Errorf("%q is not on the device, which has %q", location, there)
	}
	delete(d, location)
	return content, nil
}
