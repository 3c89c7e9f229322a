package prompt

import (
	"bytes"
	"os"
)

// keyboard is the terminal's input, shared by all questions so that what is typed or pasted ahead reaches the one it is
// meant for: each Read gives one line at most, and the rest waits.
type keyboard struct {
	file  *os.File
	ahead []byte // typed, not yet read
}

// Read reads what was typed, up to the end of a line.
func (k *keyboard) Read(p []byte) (int, error) {
	if len(k.ahead) == 0 {
		if err := k.more(p); err != nil {
			return 0, err
		}
	}
	n := copy(p, k.ahead[:lineEnd(k.ahead)])
	k.ahead = k.ahead[n:]
	return n, nil
}

// more waits for keys and puts them behind the others. It uses p as room.
func (k *keyboard) more(p []byte) error {
	n, err := k.file.Read(p)
	k.ahead = append(k.ahead, p[:n]...)
	return err
}

// lineEnd is the length of the first line in keys with what ends it, or of all keys when nothing does.
func lineEnd(keys []byte) int {
	i := bytes.IndexAny(keys, "\r\n")
	switch {
	case i < 0:
		return len(keys)
	case bytes.HasPrefix(keys[i:], []byte("\r\n")):
		return i + 2
	}
	return i + 1
}
