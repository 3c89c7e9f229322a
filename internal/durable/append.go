package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// longestTorn is how much of a last line without an end Append takes for torn. More of it is no file of lines.
const longestTorn = 1 << 20

// Append adds line to the end of the file name, and makes the file with the given permission bits where there is none;
// the bits of one that is there stay. A newline is added where line has none at its end. What follows the last newline
// of the file is a line that a kill has torn, and is cut off first. With an error, the file ends with its last whole
// line; if even that cannot be done, the next Append cuts.
//
// Callers that append to one file take turns by a lock of their own. A name that is a symbolic link or no regular file
// is refused, as is a file without a newline in its last MiB.
func Append(name string, line []byte, mode fs.FileMode) error { return act{}.append(name, line, mode) }

func (a act) append(name string, line []byte, mode fs.FileMode) error {
	f, err := a.openLines(name, mode)
	if err == nil {
		defer f.Close()
		err = a.addLine(f, line)
	}
	if err != nil {
		return fmt.Errorf("appending to %s: %w", name, err)
	}
	return nil
}

// openLines opens a file to append to, and makes it first where it has to.
func (a act) openLines(name string, mode fs.FileMode) (*os.File, error) {
	// Again only where others make and remove the file between two steps.
	for range 100 {
		f, err := os.OpenFile(name, os.O_RDWR|noFollow, 0)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.ELOOP):
			return nil, errors.New("it is a symbolic link")
		case !errors.Is(err, fs.ErrNotExist):
			return nil, cause(err)
		}
		// Whole and with its mode from the first instant, or a kill between the two would leave it with another.
		if _, err := a.put(name, nil, mode, moveNew); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, errors.New("it comes and goes")
}

func (a act) addLine(f *os.File, line []byte) error {
	info, err := f.Stat()
	if err != nil {
		return cause(err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	end, err := endOfLines(f, info.Size())
	if err != nil {
		return err
	}
	if end < info.Size() {
		if err := f.Truncate(end); err != nil {
			return cause(err)
		}
	}
	if !bytes.HasSuffix(line, []byte{'\n'}) {
		line = append(bytes.Clone(line), '\n')
	}
	if err := a.writeLine(f, line, end); err != nil {
		if f.Truncate(end) == nil {
			_ = f.Sync()
		}
		return err
	}
	return nil
}

func (a act) writeLine(f *os.File, line []byte, offset int64) error {
	if a.at != nil {
		n, err := f.WriteAt(line[:len(line)/2], offset)
		if err != nil {
			return cause(err)
		}
		if err := a.at(half); err != nil {
			return err
		}
		line, offset = line[n:], offset+int64(n)
	}
	if _, err := f.WriteAt(line, offset); err != nil {
		return cause(err)
	}
	if err := a.reach(written); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return cause(err)
	}
	return a.reach(synced)
}

// endOfLines returns the offset after the last newline of a file of the given size.
func endOfLines(f io.ReaderAt, size int64) (int64, error) {
	var chunk [4096]byte
	for end := size; end > 0; {
		if size-end >= longestTorn {
			return 0, errors.New("no line ends in its last MiB: it is no file of lines")
		}
		begin := max(end-int64(len(chunk)), 0)
		part := chunk[:end-begin]
		if _, err := f.ReadAt(part, begin); err != nil {
			return 0, cause(err)
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}
