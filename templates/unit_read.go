package templates

import (
	"errors"
	"fmt"
)

// ReadUnitPreferences reads a .pref file with which a unit sets preferences of the application on all its devices: the form
// in which ATAK saves its own, with nothing in it that a package does not take.
//
// It refuses more than 1 MiB, a DTD, elements that have no place in the form, blocks other than the application's (as
// com.atakmap.app_preferences; connections are the package's), an entry that is there twice or has none of the three
// kinds, and the entries that [RenderATAKPreferences] refuses. The error names the key, and never repeats a value.
func ReadUnitPreferences(data []byte) ([]Entry, error) {
	var entries []Entry
	known := false
	err := walk(data, func(e element) error {
		switch e.path {
		case "preferences":
			known = true
		case "preferences/preference":
			if name := e.attributes["name"]; blockOf(name) != app {
				return fmt.Errorf("it has the block %.100q: only preferences of the application (%s) are taken", name, app)
			}
		case entryPath:
			if entryOf(e).Kind == "" {
				return fmt.Errorf("the preference %.100q is of the class %.100q: class java.lang.String, Boolean and Integer are known",
					e.attributes["key"], e.attributes["class"])
			}
			entries = append(entries, entryOf(e))
		default:
			return fmt.Errorf("the element %.100s does not belong where it is", e.path)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, errors.New("it holds no preferences")
	}
	if _, err := vetEntries(entries); err != nil {
		return nil, err
	}
	return entries, nil
}
