package cot_test

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// seeds returns the events in testdata by name: one of every kind that TAK clients are known to send, written for this
// project after published field names.
func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/events/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events in testdata: %v", err)
	}
	events := map[string][]byte{}
	for _, file := range files {
		event, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		events[strings.TrimSuffix(filepath.Base(file), ".xml")] = event
	}
	return events
}

// hostile returns well-formed events of just under 64 KiB, or just not well-formed at their end, that would cost a
// careless judge far more than their size.
func hostile() map[string][]byte {
	return map[string][]byte{
		"attributes": fill("<event", "></event>", func(k int) string { return fmt.Sprintf(` a%x=""`, k) }),
		"prefixes":   fill("<event", "></event>", func(k int) string { return fmt.Sprintf(` xmlns:p%x="u"`, k) }),
		"lookups": fill("<event"+strings.Join(slices.Collect(items(2000, func(k int) string {
			return fmt.Sprintf(` xmlns:p%x="u"`, k)
		})), "")+">", "</event>", func(int) string { return "<p0:a/>" }),
		"rebinding":  fill("<event>", "</event>", func(k int) string { return fmt.Sprintf(`<p%x:a xmlns:p%x="u%x"/>`, k, k, k) }),
		"references": fill("<event>", "</event>", func(int) string { return "&#x1F600;" }),
		"zeros":      fill("<event>&#", "65;</event>", func(int) string { return "0" }),
		"brackets":   fill("<event>", "</event>", func(int) string { return "]" }),
		"dashes":     fill("<event><!--", "--></event>", func(int) string { return "- " }),
		"tags":       fill("<event>", "</event>", func(int) string { return "<a/>" }),
		"near ends":  fill("<event><!--", "--></event>", func(int) string { return "</even" }),
		"characters": fill("<event>", "</event>", func(int) string { return "\U0001F600" }),
		"dests":      fill("<event><detail><marti>", "</marti></detail></event>", func(int) string { return "<dest uid='&#65;' group='a'/>" }),
		"martis":     fill("<event><detail>", "</detail></event>", func(int) string { return "<marti/>" }),
		"chats":      fill("<event><detail>", "</detail></event>", func(int) string { return "<__chat id='a'><chatgrp uid1='b'/></__chat>" }),
		"members": fill("<event><detail><__chat><chatgrp", "/></__chat></detail></event>", func(k int) string {
			return fmt.Sprintf(` uid%d="a"`, 100_000-k)
		}),
		"names": fill("<event>", "</event>", func(int) string { return "<é é=''/>" }),
	}
}

// hostileDetails returns events of just under 64 KiB that would cost a careless conversion far more than their size.
func hostileDetails() map[string][]byte {
	event := func(declarations string, item func(int) string) []byte {
		head := strings.Replace(headOfAll, "<event", "<event"+declarations, 1) + ">" + pointOfAll + "<detail>"
		return fill(head, "</detail></event>", item)
	}
	prefixes := func(n int, uri string) string {
		return strings.Join(slices.Collect(items(n, func(k int) string { return fmt.Sprintf(` xmlns:p%x="%s"`, k, uri) })), "")
	}
	return map[string][]byte{
		"contacts":        event("", func(int) string { return `<contact callsign=""/>` }),
		"references":      event("", func(int) string { return `<contact callsign="&#65;"/>` }),
		"prefixes":        event(prefixes(3000, "u"), func(int) string { return "<a/>" }),
		"prefixes in use": event(prefixes(16, "u"), func(k int) string { return fmt.Sprintf("<p%x:a/>", k%16) }),
		"long prefixes":   event(prefixes(16, repeat("u", 2000)), func(k int) string { return fmt.Sprintf("<p%x:a/>", k%16) }),
		"near prefixes":   event(prefixes(16, "u"), func(int) string { return "<ap1p2p3p4p5p6p7/>" }),
		"attributes":      event(prefixes(16, "u"), func(k int) string { return fmt.Sprintf("<a p1:b%[1]x='' c%[1]x=''/>", k) }),
	}
}

// fill returns as many items as 64 KiB hold between a head and a tail.
func fill(head, tail string, item func(int) string) []byte {
	var b strings.Builder
	b.WriteString(head)
	for k := 0; ; k++ {
		next := item(k)
		if b.Len()+len(next)+len(tail) > cot.MaxEvent {
			break
		}
		b.WriteString(next)
	}
	b.WriteString(tail)
	return []byte(b.String())
}

func items(n int, item func(int) string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range n {
			if !yield(item(k)) {
				return
			}
		}
	}
}

// chunks cuts a stream into chunks of a size.
func chunks(stream []byte, size int) iter.Seq[[]byte] { return slices.Chunk(stream, size) }

// A framer cuts a stream into pieces: a cot.Framer or a cot.MessageFramer.
type framer interface {
	Feed([]byte)
	Next() (piece []byte, ok bool, err error)
}

// pieces counts what f cuts out of a stream that comes in reads of a size.
func pieces(tb testing.TB, f framer, stream []byte, size int) (n int) {
	for chunk := range chunks(stream, size) {
		f.Feed(chunk)
		for {
			_, ok, err := f.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if !ok {
				break
			}
			n++
		}
	}
	return n
}
