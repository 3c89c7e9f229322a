//go:build unix

package control_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/control"
	"github.com/ftsca/ftsca/internal/testpki"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestTheSocketIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, control.SocketName)
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder has %v", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

// Root that serves in somebody else's store leaves that person what is in it.
func TestTheSocketIsTheFolderOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		testpki.Lack(t, "root, who can give files away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, 54321); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, control.SocketName)
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 12345 || s.Gid != 54321 || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %d:%d's, %v", s.Uid, s.Gid, info.Mode())
	}
}

func TestTheSocketOfALiveProcessStays(t *testing.T) {
	path := serve(t, 0)
	_, err := control.Listen(path)
	var inUse *control.InUseError
	if !errors.As(err, &inUse) || inUse.Path != path {
		t.Fatalf("got %v", err)
	}
	var status control.Status
	if err := control.Call(t.Context(), path, control.VerbStatus, nil, &status); err != nil {
		t.Error(err)
	}
}

// die leaves what a killed process leaves.
func die(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	nest := filepath.Join(filepath.Dir(path), ".serve.sock-12345")
	if err := os.Mkdir(nest, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err = net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(nest, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestTheSocketOfADeadProcessIsReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, control.SocketName)
	die(t, path)
	if err := control.Call(t.Context(), path, control.VerbStatus, nil, nil); !errors.Is(err, control.ErrNotServing) {
		t.Errorf("calling the dead: %v", err)
	}
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder has %v", got)
	}
}

// Of many that find a dead process's socket at once, exactly one gets the place, and keeps it.
func TestOneOfManyGetsThePlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, control.SocketName)
	die(t, path)
	var mu sync.Mutex
	var got []net.Listener
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			l, err := control.Listen(path)
			var inUse *control.InUseError
			if err != nil && !errors.As(err, &inUse) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, l)
			}
		})
	}
	all.Wait()
	if len(got) != 1 {
		t.Fatalf("%d got it", len(got))
	}
	if _, err := net.Dial("unix", path); err != nil {
		t.Error(err)
	}
	got[0].Close()
}

func TestClosingLeavesTheSocketOfTheNextOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), control.SocketName)
	first, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoSocketStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), control.SocketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(path); err == nil || !strings.Contains(err.Error(), "is no socket: move it away") {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(path); string(data) != "mine" {
		t.Errorf("now it is %q, %v", data, err)
	}
}

func TestNobodyServes(t *testing.T) {
	paths := map[string]string{
		"no socket": filepath.Join(t.TempDir(), control.SocketName),
		"no folder": filepath.Join(t.TempDir(), "none", control.SocketName),
	}
	// Elsewhere such a path cannot be asked at all.
	if runtime.GOOS == "linux" {
		paths["no folder, a long way"] = filepath.Join(t.TempDir(), strings.Repeat("n", 150), control.SocketName)
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			if err := control.Call(t.Context(), path, control.VerbStatus, nil, nil); !errors.Is(err, control.ErrNotServing) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The address of a socket has room for a hundred bytes; the paths of stores are longer at times.
func TestLongPaths(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 150), strings.Repeat("e", 150))
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(deep, control.SocketName)
	use := func(t *testing.T) {
		l, err := control.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := control.Listen(path); !errors.As(err, new(*control.InUseError)) {
			t.Errorf("a second one: %v", err)
		}
		l.Close()
		if got := names(t, deep); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
	}
	t.Run("from elsewhere", func(t *testing.T) {
		if runtime.GOOS == "linux" {
			use(t)
			return
		}
		if _, err := control.Listen(path); !errors.As(err, new(*control.TooLongError)) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("from its own folder", func(t *testing.T) {
		t.Chdir(deep)
		use(t)
	})
}

// On Linux, a name that begins with @ would be one in the abstract space, which has no mode.
func TestAFolderThatBeginsWithAnAt(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("@store", 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := control.Listen(filepath.Join("@store", control.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := names(t, "@store"); len(got) != 1 {
		t.Errorf("the folder has %v", got)
	}
}
