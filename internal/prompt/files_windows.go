package prompt

import (
	"errors"
	"os"
	"time"
)

// openFiles opens the console's keyboard and screen.
func openFiles() (in, out *os.File, err error) {
	in, err = os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	return in, out, nil
}

// mute is false: here survey asks the console's own interface for the cursor.
func mute() bool { return false }

// surveyMode is left to survey, which reads the console's key events and not its characters.
const surveyMode = edited

// surveyFd is the console itself.
func surveyFd(f *os.File) uintptr { return f.Fd() }

// readable is only asked while a cursor report is awaited, which never happens here.
func readable(*os.File, time.Duration) bool { return true }
