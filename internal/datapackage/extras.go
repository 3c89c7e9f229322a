package datapackage

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ftsca/ftsca/templates"
)

// Extras are what a unit sets up on its devices besides the connection.
type Extras struct {
	// Callsign is the user's, any text; empty leaves it to the device.
	Callsign string
	// Team is one of [Teams], the colour on the map; empty leaves it to the device.
	Team string
	// Role is one of [Roles]; empty leaves it to the device.
	Role string
	// Preferences are further settings of the application, in their order.
	Preferences []templates.Entry
	// Files go along as they are, for ATAK and WinTAK alone: at most 24, with 3 MiB in all.
	Files []File
}

// File is a file of the unit.
type File struct {
	// Name is without a folder: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front. What ends like a file of
	// preferences, certificates or keys, or like a package, is refused.
	Name string
	Data []byte // not empty
}

const (
	maxUnitFiles = 24
	maxUnitSize  = 3 << 20 // bytes of all files
)

// Teams returns the colours that ATAK has for teams. The reader of a preference with another colour falls back to one of
// its own.
func Teams() []string {
	return []string{"White", "Yellow", "Orange", "Magenta", "Red", "Maroon", "Purple", "Dark Blue", "Blue", "Cyan", "Teal", "Green",
		"Dark Green", "Brown"}
}

// Roles returns the roles that ATAK has for the members of a team.
func Roles() []string {
	return []string{"Team Member", "Team Lead", "HQ", "Sniper", "Medic", "Forward Observer", "RTO", "K9"}
}

// ParseTeam returns the one of Teams that s is, in whatever case it is written. The error lists them.
func ParseTeam(s string) (string, error) { return oneOf("team", s, Teams()) }

// ParseRole returns the one of Roles that s is, in whatever case it is written. The error lists them.
func ParseRole(s string) (string, error) { return oneOf("role", s, Roles()) }

func oneOf(what, s string, all []string) (string, error) {
	i := slices.IndexFunc(all, func(one string) bool { return strings.EqualFold(one, s) })
	if i < 0 {
		return "", fmt.Errorf("%.50q is no %s: the clients know %s", s, what, strings.Join(all, ", "))
	}
	return all[i], nil
}

// The keys of what Extras has fields for.
const (
	callsignKey = "locationCallsign"
	teamKey     = "locationTeam"
	roleKey     = "atakRoleType"
)

// entries are all preferences, in the order in which they are written.
func (e Extras) entries() []templates.Entry {
	var all []templates.Entry
	for _, own := range []templates.Entry{{Key: callsignKey, Value: e.Callsign}, {Key: teamKey, Value: e.Team}, {Key: roleKey, Value: e.Role}} {
		if own.Value != "" {
			own.Kind = templates.String
			all = append(all, own)
		}
	}
	return append(all, e.Preferences...)
}

func (e Extras) vet(f Family) error {
	if err := exactly("team", e.Team, Teams()); err != nil {
		return err
	}
	if err := exactly("role", e.Role, Roles()); err != nil {
		return err
	}
	for _, p := range e.Preferences {
		switch p.Key {
		case callsignKey, teamKey, roleKey:
			return fmt.Errorf("the preference %s is set by callsign, team and role alone", p.Key)
		}
	}
	if len(e.Files) > 0 && !f.TakesFiles() {
		return fmt.Errorf("%s takes no further files out of a package: leave %q out", f.Title(), e.Files[0].Name)
	}
	return vetFiles(e.Files)
}

func exactly(what, s string, all []string) error {
	if s == "" || slices.Contains(all, s) {
		return nil
	}
	_, err := oneOf(what, s, all)
	if err == nil {
		err = fmt.Errorf("the %s %q is written in another case by the clients", what, s)
	}
	return err
}

func vetFiles(files []File) error {
	if len(files) > maxUnitFiles {
		return fmt.Errorf("%d further files are too many for a package: at most %d", len(files), maxUnitFiles)
	}
	size, seen := 0, map[string]bool{}
	for _, f := range files {
		if err := f.vet(); err != nil {
			return fmt.Errorf("the further file %.120q %w", f.Name, err)
		}
		lower := strings.ToLower(f.Name)
		if seen[lower] {
			return fmt.Errorf("the further file %q is there twice", f.Name)
		}
		seen[lower] = true
		if size += len(f.Data); size > maxUnitSize {
			return fmt.Errorf("the further files have more than %d bytes in all: a package holds map sources, not maps", maxUnitSize)
		}
	}
	return nil
}

// vet looks at the beginning of a file no further than to keep a key from slipping in.
func (f File) vet() error {
	if err := vetFileName(f.Name); err != nil {
		return err
	}
	switch {
	case len(f.Data) == 0:
		return errors.New("is empty")
	case bytes.Contains(f.Data, []byte("PRIVATE KEY-----")):
		return errors.New("holds a private key, which goes into no package")
	}
	return nil
}

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

func vetFileName(name string) error {
	if name == "" || strings.Trim(name, nameCharacters) != "" || strings.HasPrefix(name, ".") || len(name) > 100 {
		return errors.New("needs another name: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device")
	}
	switch ending := strings.ToLower(path.Ext(name)); ending {
	case ".pref":
		return errors.New("holds preferences: there is one such file in a package")
	case ".p12", ".pfx", ".jks", ".bks", ".pem", ".key", ".der", ".crt", ".cer", ".csr", ".p8":
		return fmt.Errorf("ends in %s, as certificates and keys do: the package has its own", ending)
	case ".zip", ".dpk":
		return errors.New("is a package of its own: hand it over by itself")
	}
	if strings.EqualFold(name, "manifest.xml") {
		return errors.New("is called as the list of a package's files is")
	}
	return nil
}

// in returns the files as they stand in a folder of the zip.
func (e Extras) in(folder string) []file {
	var files []file
	for _, f := range e.Files {
		files = append(files, file{folder + f.Name, f.Data})
	}
	return files
}
