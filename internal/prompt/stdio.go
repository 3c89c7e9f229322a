package prompt

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"time"
)

// reportWait is how long a terminal has to tell where its cursor is. Over a satellite link that takes a second or two.
const reportWait = 3 * time.Second

const (
	ctrlC  = 0x03
	ctrlD  = 0x04
	escape = 0x1b
)

// errMute ends a survey question on a terminal that does not tell where its cursor is.
var errMute = errors.New("the terminal does not tell where its cursor is")

// cursorQuery makes a terminal send what cursorReport matches (ECMA-48, 8.3.35, DSR 6, and 8.3.14, CPR).
var (
	cursorQuery  = []byte("\x1b[6n")
	cursorReport = regexp.MustCompile(`\x1b\[\d+;\d+R`)
)

// surveyKeys is the keyboard as one survey question reads it. A cursor report that never comes ends the question,
// where survey would wait for ever; keys typed while it is awaited are kept, where survey would lose them; Ctrl-D,
// which survey takes for Enter, cancels; an Alt key, which survey takes for a fault, is dropped.
type surveyKeys struct {
	*keyboard
	wait     time.Duration // how long a cursor report may take
	awaiting bool          // one was asked for and has not come
	mute     bool          // one did not come in time
}

// Fd is the file whose mode survey changes.
func (k *surveyKeys) Fd() uintptr { return surveyFd(k.file) }

// Read reads what was typed or, while a cursor report is awaited, that report alone.
func (k *surveyKeys) Read(p []byte) (int, error) {
	switch {
	case k.mute:
		return 0, errMute
	case k.awaiting:
		return k.report(p)
	}
	for {
		n, err := k.keyboard.Read(p)
		if n = len(understood(p[:n])); n > 0 || err != nil {
			return n, err
		}
	}
}

func (k *surveyKeys) report(p []byte) (int, error) {
	for end := time.Now().Add(k.wait); ; {
		if found := cursorReport.FindIndex(k.ahead); found != nil {
			k.awaiting = false
			n := copy(p, k.ahead[found[0]:found[1]])
			k.ahead = append(k.ahead[:found[0]:found[0]], k.ahead[found[1]:]...)
			return n, nil
		}
		if !readable(k.file, time.Until(end)) {
			k.mute = true
			return 0, errMute
		}
		if err := k.more(p); err != nil {
			return 0, err
		}
	}
}

// understood changes keys, in place, to those that survey knows.
func understood(keys []byte) []byte {
	out := keys[:0]
	for i := 0; i < len(keys); i++ {
		switch key := keys[i]; {
		case key == ctrlD:
			out = append(out, ctrlC)
		case key == escape && i+1 < len(keys) && keys[i+1] != '[' && keys[i+1] != 'O':
			i++
		default:
			out = append(out, key)
		}
	}
	return out
}

// surveyScreen is the terminal's output as survey writes it; it notes when a cursor report is asked for.
type surveyScreen struct {
	*os.File
	keys *surveyKeys
}

// Write writes to the terminal, which in raw mode needs a carriage return beside each newline.
func (s surveyScreen) Write(p []byte) (int, error) {
	if bytes.Contains(p, cursorQuery) {
		s.keys.awaiting = true
	}
	if _, err := s.File.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
