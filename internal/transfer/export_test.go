package transfer

import "os"

// WriteBefore is Write that calls before with the file that it is about to write or remove, and ends with its error.
// What panics there stops it as a kill does: between two steps that are each whole.
func WriteBefore(dir string, m Manifest, contents [][]byte, before func(name string) error) ([32]byte, error) {
	return act{before: before}.write(dir, m, contents)
}

// List lists a folder that may hold so many files.
func List(dir string, most int) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return newFolder(root).list(most)
}

// KeySum names a key as a party does.
func KeySum(spki []byte) string { return keySum(spki) }

// Line makes one line of a text.
func Line(s string) string { return line(s) }
