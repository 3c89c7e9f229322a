//go:build !windows

package prompt

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openFiles opens the controlling terminal for both directions.
func openFiles() (in, out *os.File, err error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	return tty, tty, err
}

// mute says whether the terminal calls itself one that knows no escape sequences.
func mute() bool {
	name := os.Getenv("TERM")
	return name == "" || name == "dumb"
}

// surveyMode is raw from before the question is shown, so that no key is echoed or edited twice.
const surveyMode = raw

// surveyFd is no file, so that survey leaves the mode alone.
func surveyFd(*os.File) uintptr { return ^uintptr(0) }

// readable waits until f has something to read, or has ended. It uses select, since poll does not know terminals on
// macOS.
func readable(f *os.File, limit time.Duration) bool {
	fd := int(f.Fd())
	for end := time.Now().Add(limit); ; {
		left := time.Until(end)
		if left < 0 {
			return false
		}
		var set unix.FdSet
		set.Zero()
		set.Set(fd)
		timeout := unix.NsecToTimeval(left.Nanoseconds())
		n, err := unix.Select(fd+1, &set, nil, nil, &timeout)
		if err == unix.EINTR {
			continue
		}
		// An error is for the read that follows to tell.
		return n > 0 || err != nil
	}
}
