//go:build unix

package control

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockPatience is far longer than anybody holds the lock.
const lockPatience = 2 * time.Second

// lock keeps two processes from looking for a dead socket and replacing it at the same moment: the second would replace
// the first one's. It locks the folder itself and so leaves nothing behind. A file system that has no locks for folders
// goes without.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			return func() { _ = f.Close() }, nil
		case time.Now().After(end):
			_ = f.Close()
			return nil, fmt.Errorf("%s is locked by another process", dir)
		}
	}
}
