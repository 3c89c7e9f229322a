package templates

import (
	"errors"
	"fmt"
	"strings"
)

// Manifest is the list of contents of a data package. ATAK reads it at MANIFEST/manifest.xml, spelled so.
type Manifest struct {
	// UID tells packages apart; ATAK names a folder after it. ASCII letters, digits, '.', '_' and '-'.
	UID string
	// Name is what the device shows, any text.
	Name string
	// Entries are the paths of the files in the zip, with forward slashes, at least one.
	Entries []string
	// Kept leaves the package on the device. Otherwise ATAK deletes it once it was received over the network and imported.
	Kept bool
}

// RenderManifest returns the manifest, of version 2. It refuses an entry that is absolute, climbs with "..", is there
// twice (case ignored) or has characters that a device may strip from it.
func RenderManifest(m Manifest) ([]byte, error) {
	var v struct {
		UID, Name xmlText
		Entries   []xmlText
		Kept      bool
	}
	v.Kept = m.Kept
	var err error
	if v.UID, err = vetFile("uid", m.UID); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if v.Name, err = vetText("name", m.Name, false); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(m.Entries) == 0 {
		return nil, errors.New("manifest: a package needs at least one file")
	}
	seen := map[string]bool{}
	for _, path := range m.Entries {
		for part := range strings.SplitSeq(path, "/") {
			if _, err := vetFile("a part of the path", part); err != nil {
				return nil, fmt.Errorf("manifest: entry %.300q: %w", path, err)
			}
		}
		if lower := strings.ToLower(path); seen[lower] {
			return nil, fmt.Errorf("manifest: entry %q is there twice", path)
		} else {
			seen[lower] = true
		}
		v.Entries = append(v.Entries, xmlText(path))
	}
	return render("manifest.xml.tmpl", v)
}
