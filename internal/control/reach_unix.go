//go:build unix

package control

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// reach returns a name for path that is short enough for the address of a socket, which has room for about a hundred
// bytes: the path itself, the way there from the working directory, or the folder by its descriptor. release has to be
// called once the name has been used.
func reach(path string) (name string, release func(), err error) {
	const limit = len(syscall.RawSockaddrUnix{}.Path)
	none := func() {}
	if path[0] == '@' {
		path = "./" + path // else it would be no path, but a name in Linux's abstract space
	}
	if len(path) < limit {
		return path, none, nil
	}
	if short, ok := fromHere(path); ok && len(short) < limit {
		return short, none, nil
	}
	if runtime.GOOS == "linux" {
		if dir, err := os.Open(filepath.Dir(path)); err == nil {
			name := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
			if _, err := os.Stat(filepath.Dir(name)); err == nil && len(name) < limit {
				return name, func() { _ = dir.Close() }, nil
			}
			_ = dir.Close()
		} else if os.IsNotExist(err) {
			return "", nil, err
		}
	}
	return "", nil, &TooLongError{path, limit - 1}
}

// fromHere is path as seen from the working directory.
func fromHere(path string) (string, bool) {
	here, err := os.Getwd()
	if err != nil {
		return "", false
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	short, err := filepath.Rel(here, absolute)
	if err != nil {
		return "", false
	}
	return "./" + short, true
}
