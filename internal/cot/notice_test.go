package cot_test

import (
	"encoding/xml"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is in another zone on purpose: CoT has only UTC.
func noon() time.Time {
	return time.Date(2026, 3, 14, 12, 0, 0, 7_900_000, time.FixedZone("", 3600))
}

func TestNoticesAreWrittenAsBefore(t *testing.T) {
	for name, notice := range map[string][]byte{
		"pong":              cot.Pong(noon()),
		"gone":              cot.Gone("ANDROID-6f3b9a1c20d4e857", "a-f-G-U-C", "", noon()),
		"gone-callsign":     cot.Gone("ANDROID-6f3b9a1c20d4e857", "a-f-G-U-C", "ALPINE 1", noon()),
		"gone-to-be-quoted": cot.Gone("a&b<c>\"d'\t\n\r\x01\xff\ufffe</event>", "<&>", "\U0001F3D4 'x' \"y\"", noon()),
	} {
		file := "testdata/notices/" + name + ".xml"
		if *update {
			if err := os.WriteFile(file, notice, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(notice) != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, notice, want)
		}
		accepted(t, notice)
	}
}

func TestPongIsWhatTAKServerAnswers(t *testing.T) {
	event := accepted(t, cot.Pong(noon()))
	if event.UID != "takPong" || event.Type != "t-x-c-t-r" || event.How != "h-g-i-g-o" || !event.IsControl() || event.IsPing() {
		t.Errorf("got %+v", event)
	}
	if want := noon().Add(20 * time.Second).Truncate(time.Millisecond); !event.Stale.Equal(want) {
		t.Errorf("stale %v, want %v", event.Stale, want)
	}
	var read struct {
		Point struct {
			Lat float64 `xml:"lat,attr"`
			Lon float64 `xml:"lon,attr"`
			Hae float64 `xml:"hae,attr"`
			CE  float64 `xml:"ce,attr"`
			LE  float64 `xml:"le,attr"`
		} `xml:"point"`
	}
	if err := xml.Unmarshal(event.Raw, &read); err != nil {
		t.Fatal(err)
	}
	if p := read.Point; p.Lat != 0 || p.Lon != 0 || p.Hae != 0 || p.CE != 9999999 || p.LE != 9999999 {
		t.Errorf("got point %+v", p)
	}
}

func TestNoticeThatNoClientWouldTakeIsNotMade(t *testing.T) {
	if got := cot.Gone(repeat(`"`, cot.MaxEvent/6), "a-f", "", noon()); got != nil {
		t.Errorf("got %d bytes", len(got))
	}
	if got := cot.Gone("a", "a-f", repeat("x", cot.MaxEvent-400), noon()); got == nil {
		t.Error("got nothing")
	}
}

// link is what a client reads of a notice.
type link struct {
	UID      string `xml:"uid,attr"`
	Type     string `xml:"type,attr"`
	Relation string `xml:"relation,attr"`
	Callsign string `xml:"callsign,attr"`
}

// FuzzGone: whatever a peer calls itself, the notice is one event that says so.
func FuzzGone(f *testing.F) {
	f.Add("ANDROID-6f3b9a1c20d4e857", "a-f-G-U-C", "ALPINE 1")
	f.Add("\x00\xff\t\r\n", `"/></event>`, "&#0;<![CDATA[")
	f.Fuzz(func(t *testing.T, uid, kind, callsign string) {
		notice := cot.Gone(uid, kind, callsign, noon())
		if notice == nil {
			return
		}
		event := accepted(t, notice)
		if string(event.Raw) != string(notice) || event.UID != legible(uid)+"-gone" || !event.IsDelete() || event.Link != legible(uid) {
			t.Fatalf("got %+v", event)
		}
		var read struct {
			Link link `xml:"detail>link"`
		}
		if err := xml.Unmarshal(notice, &read); err != nil {
			t.Fatal(err)
		}
		if want := (link{legible(uid), legible(kind), "p-p", legible(callsign)}); read.Link != want {
			t.Fatalf("\n got %+q\nwant %+q", read.Link, want)
		}
	})
}

// legible replaces what XML cannot hold, each byte that is not UTF-8 among it.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, s)
}
