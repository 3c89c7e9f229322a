package cot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// frame puts a message into a frame.
func frame(message string) string {
	return string(binary.AppendUvarint([]byte{0xBF}, uint64(len(message)))) + message
}

// feedMessages feeds a stream cut as sizes say, over and over, and returns all frames that come out.
func feedMessages(t *testing.T, stream []byte, sizes ...int) (frames []string, err error) {
	t.Helper()
	var f cot.MessageFramer
	for k := 0; len(stream) > 0; k++ {
		n := min(sizes[k%len(sizes)], len(stream))
		chunk := bytes.Clone(stream[:n])
		f.Feed(chunk)
		clear(chunk) // Feed must have copied it
		stream = stream[n:]
		for {
			next, ok, failed := f.Next()
			switch {
			case failed != nil && (ok || next != nil || f.Buffered() != 0):
				t.Fatalf("with an error came ok %v, %d bytes, and %d are held", ok, len(next), f.Buffered())
			case failed == nil && err != nil:
				t.Fatal("the error went away")
			case f.Buffered() > cot.MaxEvent+3 && !ok:
				t.Fatalf("%d bytes are held", f.Buffered())
			}
			err = failed
			if !ok {
				break
			}
			frames = append(frames, string(next))
		}
	}
	return frames, err
}

// cutMessages is what a message framer should do, for a stream that is there as a whole.
func cutMessages(stream string) (frames []string, err error) {
	for {
		at := strings.IndexByte(stream, 0xBF)
		if at > cot.MaxEvent || at < 0 && len(stream) > cot.MaxEvent {
			return frames, cot.ErrNoFrame
		}
		if at < 0 {
			return frames, nil
		}
		stream = stream[at:]
		length, n := binary.Uvarint([]byte(stream[1:min(4, len(stream))]))
		switch {
		case n == 0 && len(stream) >= 4 || length > cot.MaxEvent:
			return frames, cot.ErrNoFrame
		case n == 0 || len(stream) < 1+n+int(length):
			return frames, nil
		}
		frames, stream = append(frames, stream[:1+n+int(length)]), stream[1+n+int(length):]
	}
}

func TestMessagesAreFramedHoweverTheStreamIsCut(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
		err          error
	}{
		{"nothing", "", nil, nil},
		{"one", frame("abc"), []string{frame("abc")}, nil},
		{"two at once", frame("abc") + frame("d"), []string{frame("abc"), frame("d")}, nil},
		{"empty", frame("") + frame(""), []string{frame(""), frame("")}, nil},
		{"one that holds frames", frame(frame("abc")), []string{frame(frame("abc"))}, nil},
		{"the longest", frame(repeat("x", cot.MaxEvent)), []string{frame(repeat("x", cot.MaxEvent))}, nil},
		{"a length of one byte in three", "\xBF\x81\x80\x00a", []string{"\xBF\x81\x80\x00a"}, nil},
		{"one byte too many after each", frame("abc") + "\x00" + frame("d") + "\x00", []string{frame("abc"), frame("d")}, nil},
		{"XML before", "<event></event>" + frame("abc"), []string{frame("abc")}, nil},
		{"as much before as may be", repeat("\xFF", cot.MaxEvent) + frame("abc"), []string{frame("abc")}, nil},
		{"more before than may be", repeat("\xFF", cot.MaxEvent+1) + frame("abc"), nil, cot.ErrNoFrame},
		{"nothing but other bytes", repeat("<event></event>", 10_000), nil, cot.ErrNoFrame},
		{"a length that has not come", "\xBF", nil, nil},
		{"a length that has come in part", "\xBF\xFF\x83", nil, nil},
		{"a message that has come in part", "\xBF\x04abc", nil, nil},
		{"longer than the longest", frame("abc") + "\xBF\x81\x80\x04", []string{frame("abc")}, cot.ErrNoFrame},
		{"as long as three bytes can say", "\xBF\xFF\xFF\x7F", nil, cot.ErrNoFrame},
		{"a length of four bytes", "\xBF\x81\x80\x80\x00a", nil, cot.ErrNoFrame},
		{"a length that does not end", "\xBF" + repeat("\x80", 20), nil, cot.ErrNoFrame},
		{"a good frame after a bad one", "\xBF\xFF\xFF\x7F" + frame("abc"), nil, cot.ErrNoFrame},
		{"0xBF twice", "\xBF" + frame("abc"), nil, nil}, // a length of 447
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, sizes := range [][]int{{max(1, len(c.stream))}, {1}, {2}, {3}, {5}, {1, 4}, {1400}, {4096, 1}} {
				if frames, err := feedMessages(t, []byte(c.stream), sizes...); !errors.Is(err, c.err) || !slices.Equal(frames, c.want) {
					t.Errorf("cut by %v: %.100q and %v", sizes, frames, err)
				}
			}
		})
	}
}

func TestMessageFramerHoldsNothingWhenIdle(t *testing.T) {
	var f cot.MessageFramer
	f.Feed([]byte(frame("abc")[:2]))
	if _, ok, err := f.Next(); ok || err != nil || f.Buffered() != 2 {
		t.Errorf("ok %v, %v, %d bytes", ok, err, f.Buffered())
	}
	f.Feed([]byte(frame("abc")[2:] + "\x00"))
	if got, ok, err := f.Next(); !ok || err != nil || string(got) != frame("abc") {
		t.Errorf("%q, ok %v, %v", got, ok, err)
	}
	if _, ok, err := f.Next(); ok || err != nil || f.Buffered() != 0 {
		t.Errorf("ok %v, %v, %d bytes", ok, err, f.Buffered())
	}
	f.Feed([]byte("\xBF\xFF\xFF\xFF"))
	for range 2 {
		if _, _, err := f.Next(); err == nil || err.Error() != "no frame of at most 65536 bytes" {
			t.Errorf("got %v", err)
		}
		f.Feed([]byte(frame("abc")))
	}
	f.Release()
	f.Feed([]byte(frame("abc")))
	if got, ok, err := f.Next(); !ok || err != nil || string(got) != frame("abc") {
		t.Errorf("released: %q, ok %v, %v", got, ok, err)
	}
}

// A promise of 64 KiB must cost nothing until it is kept: a thousand of them would be 64 MiB.
func TestLengthThatIsPromisedIsNotAllocated(t *testing.T) {
	framers := make([]cot.MessageFramer, 1000)
	before := heap()
	for i := range framers {
		framers[i].Feed([]byte("\xBF\x80\x80\x04"))
		if _, ok, err := framers[i].Next(); ok || err != nil {
			t.Fatalf("ok %v, %v", ok, err)
		}
	}
	if after := heap(); after > before+1000*(8<<10) {
		t.Errorf("%d bytes", after-before)
	}
	runtime.KeepAlive(framers)
}

// FuzzMessageFramer: any cut of the stream gives what the whole stream gives. The stream is repeated so that short
// inputs reach the limit.
func FuzzMessageFramer(f *testing.F) {
	for _, event := range seeds(f) {
		f.Add([]byte(frame(string(event))), []byte{1, 100, 0}, uint16(3))
	}
	f.Add([]byte("\xBF\x80\x80\x04"), []byte{7}, uint16(20000))
	f.Add([]byte("\x00\x01"), []byte{255, 255, 1}, uint16(40000))
	f.Add([]byte("\xBF\x00\x00\xBF\x80\x80\x00"), []byte{0}, uint16(2))
	f.Fuzz(func(t *testing.T, part, cuts []byte, times uint16) {
		stream := []byte(repeat(string(part), min(int(times), 200_000/max(1, len(part)))))
		sizes := []int{4096}
		for _, c := range cuts {
			sizes = append(sizes, 1+int(c)*int(c)/16)
		}
		want, wantErr := cutMessages(string(stream))
		for _, sizes := range [][]int{{max(1, len(stream))}, sizes} {
			got, err := feedMessages(t, stream, sizes...)
			if !errors.Is(err, wantErr) || !slices.Equal(got, want) {
				t.Fatalf("cut by %v: %d frames and %v, not %d and %v", sizes, len(got), err, len(want), wantErr)
			}
		}
	})
}
