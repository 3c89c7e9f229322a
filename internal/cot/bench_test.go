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
				pieces := 0
				for chunk := range chunks(stream, size) {
					f.Feed(chunk)
					for {
						_, ok, err := f.Next()
						if err != nil {
							b.Fatal(err)
						}
						if !ok {
							break
						}
						pieces++
					}
				}
				if pieces != 100 {
					b.Fatal(pieces)
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
