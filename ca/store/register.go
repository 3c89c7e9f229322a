package store

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
)

const (
	// registerPatience is how long Register.Generation waits for another who reads: a peer that has proved itself is not
	// to wait longer for a word in a log line.
	registerPatience = time.Second
	// longestListed is how long a line of the list may be. A longer one is passed over.
	longestListed = 64 << 10
)

// A Register tells which generation of its name a certificate is, and which names there are, by the endpoint's list of
// what was issued. It keeps of a certificate only what that takes. [Store.Register] makes one; its methods may be called
// from any goroutine. What it once knew it knows on, whatever becomes of the list.
type Register struct {
	path string
	seed maphash.Seed

	turn chan struct{} // holds the one who reads
	info fs.FileInfo   // the list as of before the last reading to its end; nil when there was none
	end  int64         // where its last whole line that was read ends

	mu          sync.RWMutex
	generations map[serialKey]uint32
	names       map[uint64]struct{} // by their hash: none is ever read back
}

// serialKey is a serial, in at most 20 octets (RFC 5280, 4.1.2.2), behind zeros.
type serialKey [20]byte

// Register returns the register of what the endpoint's list has. It knows nothing before [Register.Load].
func (s *Store) Register() *Register {
	return &Register{path: s.endpoint(issuedFile), seed: maphash.MakeSeed(), turn: make(chan struct{}, 1),
		generations: map[serialKey]uint32{}, names: map[uint64]struct{}{}}
}

// Generation returns the generation of the certificate with that serial, in lower-case hex of even length, and whether it
// is known. For a serial that is not, it first reads what has come to the list, or all of it where that is another file
// now; what cannot be read is not known.
func (r *Register) Generation(serial string) (generation int, known bool) {
	key, ok := keyOfSerial(serial)
	if !ok {
		return 0, false
	}
	if n := r.generation(key); n > 0 {
		return n, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), registerPatience)
	defer cancel()
	if r.Load(ctx) != nil {
		return 0, false
	}
	n := r.generation(key)
	return n, n > 0
}

func (r *Register) generation(key serialKey) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return int(r.generations[key])
}

// Unknown returns those of the names to whom no certificate was issued, as far as the list was read; nil where there was
// nothing in it.
func (r *Register) Unknown(names []string) (unknown []string) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.names) == 0 {
		return nil
	}
	for _, name := range names {
		if _, known := r.names[maphash.String(r.seed, name)]; !known {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// Load reads the list, or, when it did so before, what has come to it since. A list that is not there is an empty one. A
// line that a kill cut short, or that is none of ours, is passed over. The error is that of ctx, or of reading the file.
func (r *Register) Load(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	if err := r.readOn(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what was issued: %w", err)
	}
	return nil
}

func (r *Register) readOn(ctx context.Context) error {
	info, err := os.Stat(r.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", r.path)
	}
	last := r.info
	if last != nil && os.SameFile(info, last) && info.Size() == last.Size() && info.ModTime().Equal(last.ModTime()) {
		return nil
	}
	f, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if last == nil || !os.SameFile(info, last) || info.Size() < last.Size() || !endsLine(f, r.end) {
		r.end = 0
	}
	// Should the file be another one by now than info tells of, the next reading finds that.
	r.info = nil
	if err := r.read(ctx, f); err != nil {
		return err
	}
	r.info = info
	return nil
}

// endsLine tells whether a line ends at the offset. In a file that somebody wrote anew in its place one hardly does.
func endsLine(f io.ReaderAt, offset int64) bool {
	if offset == 0 {
		return true
	}
	var before [1]byte
	_, err := f.ReadAt(before[:], offset-1)
	return err == nil && before[0] == '\n'
}

// read enters the lines from r.end on. The last one may be in the making: it is entered where it can be read, and read
// again the next time.
func (r *Register) read(ctx context.Context, f io.ReadSeeker) error {
	if _, err := f.Seek(r.end, io.SeekStart); err != nil {
		return err
	}
	return eachListed(ctx, f, func(line []byte, length int64) {
		r.enter(line)
		r.end += length
	})
}

// eachListed calls do with each line of the endpoint's list of what was issued, and the length of what ends with it: none
// for a last line that is still without its end. One that is longer than longestListed comes as an empty one. do must not
// keep the line.
func eachListed(ctx context.Context, list io.Reader, do func(line []byte, length int64)) error {
	lines := bufio.NewReaderSize(list, longestListed)
	var long int64 // of a line that is too long, what was read
	for ctx.Err() == nil {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long += int64(len(line))
		case err == nil && long > 0:
			do(nil, long+int64(len(line)))
			long = 0
		case err == nil:
			do(line, int64(len(line)))
		case !errors.Is(err, io.EOF):
			return err
		default:
			if long == 0 {
				do(line, 0)
			}
			return nil
		}
	}
	return ctx.Err()
}

// enter takes in a line. Of several for one serial the first counts, as for all who read the list.
func (r *Register) enter(line []byte) {
	var of struct {
		Name       string `json:"name"`
		Generation uint32 `json:"generation"`
		Serial     string `json:"serial"`
	}
	if jsonv2.Unmarshal(line, &of) != nil || of.Generation == 0 {
		return
	}
	key, ok := keyOfSerial(of.Serial)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.generations[key]; !known {
		r.generations[key] = of.Generation
		r.names[maphash.String(r.seed, of.Name)] = struct{}{}
	}
}

// keyOfSerial is the key of a serial in hex.
func keyOfSerial(serial string) (key serialKey, ok bool) {
	n := len(serial) / 2
	if len(serial)%2 != 0 || n == 0 || n > len(key) {
		return key, false
	}
	_, err := hex.Decode(key[len(key)-n:], []byte(serial))
	return key, err == nil
}
