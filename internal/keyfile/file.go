package keyfile

import (
	"crypto"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/secret"
)

// maxFile bounds a key's file: RSA-8192 in PEM has 6.4 KiB.
const maxFile = 64 << 10

// ModeError says that others than its owner can read a key's file.
type ModeError struct {
	Path string
	Mode fs.FileMode
}

func (e *ModeError) Error() string {
	return fmt.Sprintf("the private key %s has mode %04o: others than its owner have access", e.Path, e.Mode.Perm())
}

// Load reads a private key's file as [Parse] does. It refuses by a *[ModeError] one that the group or others can read
// or write, except where the file system keeps no modes. The errors name the file.
func Load(name string, passphrase func() (secret.Secret, error)) (crypto.Signer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && durable.HasModes(filepath.Dir(name)) {
		return nil, &ModeError{Path: name, Mode: info.Mode()}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the private key %s: a file of more than %d bytes is none", name, maxFile)
	}
	key, err := Parse(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("the private key %s: %w", name, err)
	}
	return key, nil
}
