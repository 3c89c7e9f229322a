package keyfile

import (
	"crypto"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

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

// Error names the file, its mode in octal, and the command that mends it.
func (e *ModeError) Error() string {
	return fmt.Sprintf("the private key %s has mode %04o, so that others than its owner have access: chmod 600 %[1]s", e.Path, e.Mode.Perm())
}

// Load reads a private key's file as [Parse] does. It refuses by a *[ModeError] one to which the group or others have
// any access, except where the file system keeps no modes (see [durable.HasModes]). It refuses what is no regular file,
// be it behind a symbolic link, and one of more than 64 KiB. The errors name the file.
func Load(name string, passphrase func() (secret.Secret, error)) (crypto.Signer, error) {
	// A pipe that nobody writes to does not hold it up.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the private key %s: it is no regular file", name)
	}
	if info.Mode().Perm()&0o077 != 0 && durable.HasModes(filepath.Dir(name)) {
		return nil, &ModeError{Path: name, Mode: info.Mode()}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	key, err := Parse(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("the private key %s: %w", name, err)
	}
	return key, nil
}
