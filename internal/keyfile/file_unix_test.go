//go:build unix

package keyfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

// clearKey writes a key in clear and returns its path.
func clearKey(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	data, err := keyfile.NewSealer(0).Seal(newKey(t), secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ca.key")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestKeyThatOthersCanReachIsNotUsed(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700} {
		if _, err := keyfile.Load(clearKey(t, mode), nil); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644, 0o620, 0o602, 0o610, 0o601, 0o777} {
		name := clearKey(t, mode)
		_, err := keyfile.Load(name, nil)
		want := fmt.Sprintf("the private key %s has mode %04o, so that others than its owner have access: chmod 600 %s", name, mode, name)
		lax, ok := errors.AsType[*keyfile.ModeError](err)
		if !ok || lax.Path != name || lax.Mode.Perm() != mode || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestTheModeThatCountsIsThatOfTheFileBehindALink(t *testing.T) {
	for mode, allowed := range map[fs.FileMode]bool{0o600: true, 0o644: false} {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(clearKey(t, mode), link); err != nil {
			t.Fatal(err)
		}
		if _, err := keyfile.Load(link, nil); (err == nil) != allowed {
			t.Errorf("a link to a key of mode %o: %v", mode, err)
		}
	}
}

func TestWhatIsNoKeyFileIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	write := func(base, content string) string {
		name := filepath.Join(dir, base)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	folder, pipe := filepath.Join(dir, "folder"), filepath.Join(dir, "pipe")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	sealed, err := keyfile.NewSealer(1000).Seal(newKey(t), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want string }{
		{filepath.Join(dir, "missing"), "reading the private key: open FILE: no such file or directory"},
		{folder, "the private key FILE: it is no regular file"},
		{pipe, "the private key FILE: it is no regular file"},
		{"/dev/null", "the private key FILE: it is no regular file"},
		{write("empty", ""), "the private key FILE: there is no PEM block in it"},
		{write("large", strings.Repeat("x", 64<<10+1)), "the private key FILE: a file of more than 65536 bytes is none"},
		{write("sealed", string(sealed)), "the private key FILE: the key is sealed with a passphrase"},
	} {
		done := make(chan error, 1)
		go func() { _, err := keyfile.Load(tt.name, nil); done <- err }()
		select {
		case err := <-done:
			if want := strings.ReplaceAll(tt.want, "FILE", tt.name); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s holds the program up", tt.name)
		}
	}
}

func TestASealedKeyFileIsOpenedByItsPassphrase(t *testing.T) {
	key := newKey(t)
	sealed, err := keyfile.NewSealer(1000).Seal(key, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ca.key")
	if err := os.WriteFile(name, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := keyfile.Load(name, given(passphrase))
	if err != nil || !equal(back, key) {
		t.Errorf("another key came back: %v", err)
	}
	_, err = keyfile.Load(name, given(secret.FromString("wrong")))
	if want := "the private key " + name + ": wrong passphrase"; !errors.Is(err, keyfile.ErrWrongPassphrase) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	gone := errors.New("the terminal is gone")
	if _, err := keyfile.Load(name, func() (secret.Secret, error) { return secret.Secret{}, gone }); !errors.Is(err, gone) {
		t.Errorf("the error of whoever asks: %v", err)
	}
}
