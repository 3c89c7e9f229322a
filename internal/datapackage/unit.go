package datapackage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/ftsca/ftsca/templates"
)

// The two things that a unit's folder may have.
const (
	unitPreferences = "unit.pref"
	unitFiles       = "files"
)

// maxUnitPreferences bounds what is read of them, in bytes.
const maxUnitPreferences = 256 << 10

// ReadUnit reads what a unit sets up on all its devices from a folder of its own, in the form that the package's comment
// describes. Files come in the order of their names. The error says which file it is about; a folder that has neither of
// the two is one, too.
func ReadUnit(dir fs.FS) (Extras, error) {
	var e Extras
	listed, err := fs.ReadDir(dir, ".")
	if err != nil {
		return e, fmt.Errorf("reading the unit's folder: %w", err)
	}
	found := false
	for _, entry := range listed {
		switch name := entry.Name(); {
		case strings.HasPrefix(name, "."):
			// What systems leave behind, as .DS_Store.
			continue
		case name == unitPreferences:
			err = e.readPreferences(dir)
		case name == unitFiles && entry.IsDir():
			err = e.readFiles(dir)
		default:
			err = fmt.Errorf("the unit's folder has %.120q: it may have %s, and a folder %s with further files", name, unitPreferences, unitFiles)
		}
		if err != nil {
			return Extras{}, err
		}
		found = true
	}
	if !found {
		return Extras{}, fmt.Errorf("the unit's folder has neither %s nor a folder %s", unitPreferences, unitFiles)
	}
	return e, nil
}

func (e *Extras) readPreferences(dir fs.FS) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", unitPreferences, err) }
	data, err := readBounded(dir, unitPreferences, maxUnitPreferences)
	if err != nil {
		return fail(err)
	}
	entries, err := templates.ReadUnitPreferences(data)
	if err != nil {
		return fail(err)
	}
	if err := e.take(entries); err != nil {
		return fail(err)
	}
	if e.Callsign != "" {
		return fail(errors.New("it sets " + callsignKey + ", and so would give everybody one callsign"))
	}
	return nil
}

// take sorts entries into their fields.
func (e *Extras) take(entries []templates.Entry) error {
	for _, entry := range entries {
		var err error
		switch entry.Key {
		case callsignKey:
			e.Callsign = entry.Value
		case teamKey:
			e.Team, err = ParseTeam(entry.Value)
		case roleKey:
			e.Role, err = ParseRole(entry.Value)
		default:
			e.Preferences = append(e.Preferences, entry)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Key, err)
		}
	}
	return nil
}

func (e *Extras) readFiles(dir fs.FS) error {
	listed, err := fs.ReadDir(dir, unitFiles)
	if err != nil {
		return fmt.Errorf("reading the unit's folder: %w", err)
	}
	left := maxUnitSize
	for _, entry := range listed {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if entry.IsDir() {
			return fmt.Errorf("%s/%.120s is a folder: a package has none within it", unitFiles, name)
		}
		data, err := readBounded(dir, unitFiles+"/"+name, left)
		if err != nil {
			return fmt.Errorf("%s/%.120s: %w", unitFiles, name, err)
		}
		left -= len(data)
		e.Files = append(e.Files, File{Name: name, Data: data})
	}
	return vetFiles(e.Files)
}

func readBounded(dir fs.FS, name string, most int) ([]byte, error) {
	// To open a pipe would be to wait for its writer.
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("it has more than the %d bytes that are left for it", most)
	}
	return data, err
}
