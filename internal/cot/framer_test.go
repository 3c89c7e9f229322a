package cot_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// drain takes all pieces that the framer has, and checks what holds after each feeding.
func drain(t *testing.T, f *cot.Framer) (pieces []string, err error) {
	t.Helper()
	for {
		piece, ok, err := f.Next()
		if err != nil {
			if ok || piece != nil || f.Buffered() != 0 {
				t.Fatalf("with an error came ok %v, %d bytes, and %d are held", ok, len(piece), f.Buffered())
			}
			return pieces, err
		}
		if !ok {
			if f.Buffered() > cot.MaxEvent {
				t.Fatalf("%d bytes are held", f.Buffered())
			}
			return pieces, nil
		}
		if len(piece) > cot.MaxEvent {
			t.Fatalf("a piece of %d bytes", len(piece))
		}
		pieces = append(pieces, string(piece))
	}
}

// feed feeds a stream cut as sizes say, over and over, and returns all that comes out.
func feed(t *testing.T, stream []byte, sizes ...int) (pieces []string, err error) {
	t.Helper()
	var f cot.Framer
	for k := 0; len(stream) > 0; k++ {
		n := min(sizes[k%len(sizes)], len(stream))
		chunk := bytes.Clone(stream[:n])
		f.Feed(chunk)
		clear(chunk) // Feed must have copied it
		stream = stream[n:]
		more, failed := drain(t, &f)
		pieces = append(pieces, more...)
		if failed != nil && err == nil {
			err = failed
		} else if failed == nil && err != nil {
			t.Fatal("the error went away")
		}
	}
	return pieces, err
}

// cut is what a framer should do, for a stream that is there as a whole.
func cut(stream string) (pieces []string, err error) {
	for {
		begin := strings.TrimLeft(stream, " \t\r\n")
		end := strings.Index(begin, endOfEvent) + len(endOfEvent)
		switch {
		case len(stream)-len(begin) > cot.MaxEvent:
			return pieces, cot.ErrTooLong
		case end < len(endOfEvent) && len(begin) <= cot.MaxEvent:
			return pieces, nil
		case end < len(endOfEvent) || end > cot.MaxEvent:
			return pieces, cot.ErrTooLong
		}
		pieces, stream = append(pieces, begin[:end]), begin[end:]
	}
}

func TestEventsAreFramedHoweverTheStreamIsCut(t *testing.T) {
	var stream []byte
	for _, event := range seeds(t) {
		stream = append(stream, event...)
		stream = append(stream, " \r\n"[:len(event)%4]...)
	}
	whole, err := cut(string(stream))
	if err != nil || len(whole) != len(seeds(t)) {
		t.Fatalf("%d pieces of %d, %v", len(whole), len(seeds(t)), err)
	}
	for _, sizes := range [][]int{{1}, {2}, {7}, {8}, {9}, {100}, {599, 1}, {1400}, {4096}, {16384}, {1, 5000}, {len(stream)}} {
		pieces, err := feed(t, stream, sizes...)
		if err != nil || !slices.Equal(pieces, whole) {
			t.Errorf("cut by %v: %d pieces, %v", sizes, len(pieces), err)
		}
	}
}

func TestEventsAreCutAtTheLiteralEndAlone(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
	}{
		{"nothing", "", nil},
		{"two at once", "<event>1</event><event>2</event>", []string{"<event>1</event>", "<event>2</event>"}},
		{"what comes before belongs to it", "<?xml?>\n<auth/><event></event>", []string{"<?xml?>\n<auth/><event></event>"}},
		{"white space before does not", "\r\n\t <event></event>\n", []string{"<event></event>"}},
		{"an end with a space is none", "<event></event ><event></event>", []string{"<event></event ><event></event>"}},
		{"an end in capitals is none", "<event></EVENT></event>", []string{"<event></EVENT></event>"}},
		{"an empty event has none", "<event/><event></event>", []string{"<event/><event></event>"}},
		{"an end in a comment is one", "<event><!--</event>--></event>", []string{"<event><!--</event>", "--></event>"}},
		{"an end in a CDATA section is one", "<event><![CDATA[</event>]]></event>",
			[]string{"<event><![CDATA[</event>", "]]></event>"}},
		{"an event within an event ends it", "<event><event></event></event>", []string{"<event><event></event>", "</event>"}},
		{"almost an end, then an end", "</even</event></event", []string{"</even</event>"}},
		{"garbage too is cut", "\x00\xff</event>", []string{"\x00\xff</event>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= len(c.stream)+1; size++ {
				pieces, err := feed(t, []byte(c.stream), size)
				if err != nil || !slices.Equal(pieces, c.want) {
					t.Fatalf("cut by %d: %q, %v", size, pieces, err)
				}
			}
		})
	}
}

func TestStreamWithoutEndOfEventIsTooLong(t *testing.T) {
	full := "<event>" + repeat("x", cot.MaxEvent-len("<event></event>")) + endOfEvent
	for _, c := range []struct {
		name, stream string
		pieces       int
		err          error
	}{
		{"an event of MaxEvent", full, 1, nil},
		{"after white space", "\n" + full + "\n" + full, 2, nil},
		{"one byte more", "x" + full, 0, cot.ErrTooLong},
		{"MaxEvent bytes of an event that goes on", full[:7] + "x" + full[7:len(full)-1], 0, nil},
		{"one byte more of it", full[:7] + "xx" + full[7:len(full)-1], 0, cot.ErrTooLong},
		{"after an event", "<event></event>" + repeat("y", cot.MaxEvent+1), 1, cot.ErrTooLong},
		{"an event after it is not heard", repeat("y", cot.MaxEvent+1) + "<event></event>", 0, cot.ErrTooLong},
		{"white space of MaxEvent", repeat(" ", cot.MaxEvent) + "<event></event>", 1, nil},
		{"white space without end", "<event></event>" + repeat("\n", cot.MaxEvent+1), 1, cot.ErrTooLong},
		{"auth without end", repeat("<auth/>", 10000), 0, cot.ErrTooLong},
		{"comments without end", repeat("<!-- -->", 10000), 0, cot.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, sizes := range [][]int{{1}, {8, 9}, {1400}, {4096}, {65536}, {70000}, {1 << 20}} {
				pieces, err := feed(t, []byte(c.stream), sizes...)
				if len(pieces) != c.pieces || !errors.Is(err, c.err) {
					t.Errorf("cut by %v: %d pieces, %v", sizes, len(pieces), err)
				}
			}
		})
	}
	if got, want := cot.ErrTooLong.Error(), "no </event> within 65536 bytes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReleasedFramerIsReadyForAnotherStream(t *testing.T) {
	var f cot.Framer
	f.Release()
	f.Feed(bytes.Repeat([]byte("x"), cot.MaxEvent+1))
	if _, err := drain(t, &f); !errors.Is(err, cot.ErrTooLong) {
		t.Fatal(err)
	}
	f.Release()
	f.Feed([]byte("<event>half"))
	f.Release()
	f.Feed([]byte("<event></event>"))
	if pieces, err := drain(t, &f); err != nil || !slices.Equal(pieces, []string{"<event></event>"}) {
		t.Fatalf("%q, %v", pieces, err)
	}
}

// Two framers that share a pool must not write into what the other has handed out.
func TestPieceStaysValidUntilTheNextCall(t *testing.T) {
	var f, other cot.Framer
	f.Feed([]byte("<event>1</event>\n"))
	piece, ok, err := f.Next()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	other.Feed([]byte("<event>2</event>"))
	if string(piece) != "<event>1</event>" {
		t.Errorf("the piece became %q", piece)
	}
	if extended := append(piece, "!!!!"...); &extended[0] == &piece[0] {
		t.Error("appending to a piece writes over the stream")
	}
}

func TestIdleFramersHoldNoMemory(t *testing.T) {
	const sessions = 5000
	framers := make([]cot.Framer, sessions)
	event := append(seeds(t)["position-atak"], '\n')
	before := heap()
	for k := range framers {
		f := &framers[k]
		f.Feed(event[:100])
		drain(t, f)
		f.Feed(event[100:])
		if pieces, err := drain(t, f); len(pieces) != 1 || err != nil {
			t.Fatal(pieces, err)
		}
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("%d idle framers hold %d bytes", sessions, grown)
	}
	runtime.KeepAlive(framers)
}

// heap returns the bytes in use once the pools have been emptied, which takes two collections.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
