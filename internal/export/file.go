package export

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// File is one that an exported folder has to hold.
type File struct {
	Name string      // within the folder
	Mode fs.FileMode // permission bits
	// Version tells what the file is made from. Two files of one name and version have the same meaning, though their
	// bytes may differ, as those of a p12 file do each time.
	Version string
	// Data makes the content. It is called only where the file has to be written.
	Data func() ([]byte, error)
}

// plain is a file whose content is its version.
func plain(name string, mode fs.FileMode, data []byte) File {
	return File{Name: name, Mode: mode, Version: sumOf(data), Data: func() ([]byte, error) { return data, nil }}
}

// sumOf is the SHA-256 of the parts, in hex; where one ends and the next begins counts too.
func sumOf(parts ...[]byte) string {
	if len(parts) == 1 {
		sum := sha256.Sum256(parts[0])
		return hex.EncodeToString(sum[:])
	}
	all := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256(p)
		all.Write(sum[:])
	}
	return hex.EncodeToString(all.Sum(nil))
}
