package cot_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// position600 is a position of 600 bytes, as a phone sends it.
func position600(t testing.TB) []byte {
	event := string(seeds(t)["position-atak"])
	event = event[strings.Index(event, "<event"):]
	event = strings.Replace(event, ` phone="+41790000000"`, "", 1)
	if len(event) < 600 {
		event = strings.Replace(event, "ALPINE 1", "ALPINE 1"+strings.Repeat("x", 600-len(event)), 1)
	}
	return []byte(event)
}

func BenchmarkParsePosition(b *testing.B) {
	event := position600(b)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cot.Parse(event); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseChat(b *testing.B) {
	event := seeds(b)["geochat-all"]
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cot.Parse(event); err != nil {
			b.Fatal(err)
		}
	}
}

// The events that make a judge work hardest, at the full 64 KiB: none may cost much more than its size.
func BenchmarkParseHostile(b *testing.B) {
	for name, event := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				cot.Parse(event)
			}
		})
	}
}

func BenchmarkFramer(b *testing.B) {
	stream := bytes.Repeat(append(position600(b), '\n'), 100)
	for _, size := range []int{200, 1400, 16 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			var f cot.Framer
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				if n := pieces(b, &f, stream, size); n != 100 {
					b.Fatal(n)
				}
			}
		})
	}
}

func BenchmarkPong(b *testing.B) {
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		cot.Pong(now)
	}
}

// The conversions, of and to the position of 600 bytes.
func BenchmarkParseMessage(b *testing.B) {
	frame := frameOf(b, position600(b))
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cot.ParseMessage(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	event, err := cot.Parse(position600(b))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(event.Raw)))
	b.ReportAllocs()
	var frame []byte
	for b.Loop() {
		if frame, err = event.AppendFrame(frame[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendXML(b *testing.B) {
	frame := frameOf(b, position600(b))
	message, err := cot.ParseMessage(frame)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	var event []byte
	for b.Loop() {
		event = message.AppendXML(event[:0])
	}
}

func BenchmarkWithoutMarti(b *testing.B) {
	event, err := cot.Parse(seeds(b)["file-transfer"])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(event.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		event.WithoutMarti()
	}
}

func BenchmarkMessageWithoutMarti(b *testing.B) {
	message, err := cot.ParseMessage(frameOf(b, seeds(b)["file-transfer"]))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(message.Frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.WithoutMarti(); err != nil {
			b.Fatal(err)
		}
	}
}

// The events that make a conversion work hardest, at the full 64 KiB.
func BenchmarkAppendFrameHostile(b *testing.B) {
	for name, piece := range hostileDetails() {
		event, err := cot.Parse(piece)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(piece)))
			b.ReportAllocs()
			for b.Loop() {
				event.AppendFrame(nil)
			}
		})
	}
}

func BenchmarkMessageFramer(b *testing.B) {
	stream := bytes.Repeat(frameOf(b, position600(b)), 100)
	for _, size := range []int{200, 1400, 16 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			var f cot.MessageFramer
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				if n := pieces(b, &f, stream, size); n != 100 {
					b.Fatal(n)
				}
			}
		})
	}
}

// A stream in which every byte begins a frame that is none, and one of frames with such bytes between them. Each byte is
// looked at once: 64 KiB take less than a millisecond, and would take seconds if each were looked at again for all before it.
func BenchmarkMessageFramerOutOfStep(b *testing.B) {
	for name, stream := range map[string][]byte{
		"0xBF":        bytes.Repeat([]byte{0xBF}, cot.MaxEvent),
		"bad lengths": bytes.Repeat(append(bytes.Repeat([]byte("\xBF\xFF\xFF\xFF"), 100), "\xBF\x00"...), cot.MaxEvent/402),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				var f cot.MessageFramer
				pieces(b, &f, stream, 1400)
				f.Release()
			}
			if each := b.Elapsed() / time.Duration(b.N); each > 50*time.Millisecond {
				b.Errorf("%d bytes took %v", len(stream), each)
			}
		})
	}
}

// frameOf is the frame of an event in XML.
func frameOf(t testing.TB, piece []byte) []byte {
	t.Helper()
	event, err := cot.Parse(piece)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := event.AppendFrame(nil)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}
