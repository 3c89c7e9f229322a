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
	skipped := 0
	for {
		at := strings.IndexByte(stream, 0xBF)
		if at < 0 {
			at = len(stream)
		}
		if skipped += at; skipped > cot.MaxEvent {
			return frames, cot.ErrNoFrame
		}
		if stream = stream[at:]; stream == "" {
			return frames, nil
		}
		length, n := binary.Uvarint([]byte(stream[1:min(4, len(stream))]))
		switch {
		case n == 0 && len(stream) >= 4, length > cot.MaxEvent:
			stream = stream[1:]
			skipped++
		case n == 0 || len(stream) < 1+n+int(length):
			return frames, nil
		default:
			frames, stream = append(frames, stream[:1+n+int(length)]), stream[1+n+int(length):]
			skipped = 0
		}
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
		{"longer than the longest", frame("abc") + "\xBF\x81\x80\x04" + frame("d"), []string{frame("abc"), frame("d")}, nil},
		{"as long as three bytes can say", "\xBF\xFF\xFF\x7F" + frame("abc"), []string{frame("abc")}, nil},
		{"a length of four bytes", "\xBF\x81\x80\x80\x00a" + frame("abc"), []string{frame("abc")}, nil},
		{"a length that does not end", "\xBF" + repeat("\x80", 20) + frame("abc"), []string{frame("abc")}, nil},
		{"a frame where the length ought to be", "\xBF\xFF" + frame(repeat("\x80", 200)), []string{frame(repeat("\x80", 200))}, nil},
		{"a frame where the last byte of the length ought to be", "\xBF\xFF\xFF" + frame(""), []string{frame("")}, nil},
		{"bad lengths one behind the other", repeat("\xBF\x81\x80\x04", 1000) + frame("abc") + repeat("\xBF\xFF\xFF\x7F", 1000) + frame("d"),
			[]string{frame("abc"), frame("d")}, nil},
		{"a bad length that may yet be one", frame("abc") + "\xBF\xFF\xFF", []string{frame("abc")}, nil},
		{"0xBF twice", "\xBF" + frame("abc"), nil, nil}, // a length of 447
		{"0xBF twice, and what that swallows", "\xBF" + frame("abc") + repeat(frame("def"), 100),
			append([]string{"\xBF" + frame("abc") + repeat(frame("def"), 100)[:444]}, slices.Repeat([]string{frame("def")}, 11)...), nil},
		{"as many bad lengths as may be", repeat("\xBF\x81\x80\x04", cot.MaxEvent/4) + frame("abc"), []string{frame("abc")}, nil},
		{"more bad lengths than may be", repeat("\xBF\x81\x80\x04", cot.MaxEvent/4) + "\x00" + frame("abc"), nil, cot.ErrNoFrame},
		{"a bad length where no more may be skipped", repeat("\x00", cot.MaxEvent) + "\xBF\x81\x80\x04" + frame("abc"), nil, cot.ErrNoFrame},
		{"a good frame among as many as may be twice", repeat("\xBF\x81\x80\x04", cot.MaxEvent/4) + frame("") + repeat("\x00", cot.MaxEvent) + frame("abc"),
			[]string{frame(""), frame("abc")}, nil},
		{"as many 0xBF as may be", repeat("\xBF", cot.MaxEvent+3), nil, nil},
		{"more 0xBF than may be", repeat("\xBF", cot.MaxEvent+4), nil, cot.ErrNoFrame},
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
	f.Feed([]byte(repeat("\xBF\xFF\xFF\xFF", cot.MaxEvent/4) + "\x00"))
	for range 2 {
		if _, _, err := f.Next(); err == nil || err.Error() != "no frame within 65536 bytes" {
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

// What it costs is BenchmarkMessageFramerOutOfStep's to tell.
func TestGarbageHoldsTheSameFramesHoweverItIsCut(t *testing.T) {
	const size = 60 << 10 // not so much that it is an error
	for part, each := range map[string]int{"\xBF": 0, "\xBF\x81\x80\x04": 0, "\xBF\xFF": 0, "\xBF\x80\x80": 0, "\x80\xBF": 0, "\xBF\x80\x80\x04": 0,
		"\xBF\xFF\xFF\xFF\xBF\x00": 1} {
		times := size / len(part)
		stream := []byte(repeat(part, times))
		for _, cut := range []int{1, 1400, len(stream)} {
			var f cot.MessageFramer
			frames := pieces(t, &f, stream, cut)
			if frames != each*times {
				t.Errorf("%q cut by %d holds %d frames, want %d", part, cut, frames, each*times)
			}
		}
	}
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
	f.Add([]byte("\xBF\x81\x80\x04\xBF\x01"), []byte{1, 3}, uint16(200))
	f.Add([]byte("\xBF"), []byte{50}, uint16(65530))
	f.Add([]byte("\xBF\xFF\xFF\xBF\x00\xBF\xFF"), []byte{2}, uint16(9000))
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
