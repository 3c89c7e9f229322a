package cot_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

const dest = `<dest uid="a"/>`

// martis are details with marti elements, and without them.
var martis = []struct{ name, details, want string }{
	{"alone", `<marti>` + dest + `</marti>`, ``},
	{"empty", `<marti/>`, ``},
	{"between others", `<a/><marti>` + dest + `</marti><b/>`, `<a/><b/>`},
	{"several", `<marti/><a/><marti>` + dest + `</marti><marti /><b/><marti></marti>`, `<a/><b/>`},
	{"white space and text stay", "\n <a/>\t<marti>\n" + dest + "\n</marti >\r\n <b/> c", "\n <a/>\t\r\n <b/> c"},
	{"comments, instructions and CDATA sections stay", `<!-- <marti/> --><marti><!-- a --><?b c?></marti><?d <marti/>?><![CDATA[<marti/>]]>`,
		`<!-- <marti/> --><?d <marti/>?><![CDATA[<marti/>]]>`},
	{"what is written oddly stays", `<a b = 'c' ></a ><marti a = '&gt;/>'/>&#65;<d e="&amp;/>"/>`, `<a b = 'c' ></a >&#65;<d e="&amp;/>"/>`},
	{"one within another", `<marti><marti>` + dest + `</marti><detail><marti/></detail></marti><a/>`, `<a/>`},
	{"deeper ones stay", `<marti/><a><marti>` + dest + `</marti><detail><marti/></detail></a>`, `<a><marti>` + dest + `</marti><detail><marti/></detail></a>`},
	{"those of others stay", `<p:marti xmlns:p="u"/><marti/><Marti/><martis/>`, `<p:marti xmlns:p="u"/><Marti/><martis/>`},
	{"namespaces go with it", `<marti xmlns="u" xmlns:p="v"><p:dest p:uid=""/></marti><q:a xmlns:q="w"/>`, `<q:a xmlns:q="w"/>`},
	{"]]> is not made", `]]<marti/>>`, `]]<!---->>`},
	{"]]> is not made of ] and ]>", `]<marti/>]>`, `]<!---->]>`},
	{"]]> is not made beyond two", `]]<marti/><marti/>>`, `]]<!---->>`},
	{"CR LF is not made", "\r<marti/>\n", "\r<!---->\n"},
	{"other texts are joined", "]]<marti/>a>\n<marti/>\r<marti/>\r<a/><marti/>>", "]]a>\n\r\r<a/>>"},
	{"text first and last", "><marti/>", ">"},
	{"text last", "<marti/>>", ">"},
	{"an end of event within", `<marti><event></event ></marti>`, ``},
}

func TestWithoutMarti(t *testing.T) {
	for _, c := range martis {
		t.Run(c.name, func(t *testing.T) {
			piece := []byte(with(c.details))
			event := accepted(t, piece)
			if !event.Marti {
				t.Fatal("no marti")
			}
			got := event.WithoutMarti()
			if string(got.Raw) != with(c.want) || string(event.Raw) != with(c.details) {
				t.Errorf("\n got %s\nwant %s", got.Raw, with(c.want))
			}
			checkWithout(t, event, got)
			if len(c.details) > 0 && &got.Raw[0] == &event.Raw[0] {
				t.Error("not in new memory")
			}
			frame := toFrame(t, got.Raw)
			if !bytes.Contains(frame, []byte(c.want)) || strings.Contains(c.want, "<marti") != bytes.Contains(frame, []byte("<marti")) {
				t.Errorf("in protobuf it is %q", frame)
			}
			comesBack(t, got.Raw)
		})
	}
}

func TestMessageWithoutMarti(t *testing.T) {
	for _, c := range martis {
		t.Run(c.name, func(t *testing.T) {
			message := fullMessage()
			message.SubmissionTime = 7
			message.CotEvent.Detail.XmlDetail = c.details
			unknown := []byte("\xda\x02\x01a")
			message.ProtoReflect().SetUnknown(unknown)
			message.CotEvent.ProtoReflect().SetUnknown(unknown)
			message.CotEvent.Detail.ProtoReflect().SetUnknown(unknown)
			frame := encode(t, message)
			before, err := cot.ParseMessage(frame)
			if err != nil || !before.Event.Marti {
				t.Fatalf("%v, %+v", err, before.Event)
			}
			after, err := before.WithoutMarti()
			if err != nil {
				t.Fatal(err)
			}
			message.CotEvent.Detail.XmlDetail = c.want
			if want := encode(t, message); !bytes.Equal(after.Frame, want) {
				t.Errorf("\n got %q\nwant %q", after.Frame, want)
			}
			if got := after.AppendXML(nil); !bytes.Contains(got, []byte("<detail>"+c.want+"<contact ")) {
				t.Errorf("got %s", got)
			}
			checkMessageWithout(t, before, after)
			if !bytes.Equal(before.Frame, frame) || !bytes.Contains(before.AppendXML(nil), []byte(c.details)) {
				t.Error("the message before is another")
			}
		})
	}
}

// checkWithout checks what holds of every event before and after.
func checkWithout(t *testing.T, before, after cot.Event) {
	t.Helper()
	want := before
	want.Marti, want.Dests = false, nil
	sameEvent(t, want, after)
	again, err := cot.Parse(after.Raw)
	if err != nil || !bytes.Equal(again.Raw, after.Raw) {
		t.Fatalf("%q\nbecame %q: %v", before.Raw, after.Raw, err)
	}
	sameEvent(t, after, again)
	if got, want := tokens(t, after.Raw, false), tokens(t, before.Raw, true); !slices.Equal(got, want) {
		t.Fatalf("%q\nbecame %q", before.Raw, after.Raw)
	}
}

// checkMessageWithout checks what holds of every message before and after.
func checkMessageWithout(t *testing.T, before, after cot.Message) {
	t.Helper()
	again, err := cot.ParseMessage(after.Frame)
	if err != nil || &again.Frame[0] != &after.Frame[0] {
		t.Fatalf("%q\nbecame %q: %v", before.Frame, after.Frame, err)
	}
	sameEvent(t, after.Event, again.Event)
	xml := after.AppendXML(nil)
	if !bytes.Equal(again.AppendXML(nil), xml) {
		t.Fatalf("read anew it says\n%s, not\n%s", again.AppendXML(nil), xml)
	}
	if want := accepted(t, before.AppendXML(nil)).WithoutMarti(); !bytes.Equal(xml, want.Raw) {
		t.Fatalf("\n got %s\nwant %s", xml, want.Raw)
	}
	sameEvent(t, accepted(t, xml), after.Event)
	want := before.Event
	want.Marti, want.Dests = false, nil
	sameEvent(t, want, after.Event)
}

// tokens returns what encoding/xml finds in an event, less the marti elements directly in its detail where they are to
// be left out. Text is joined where no markup, or an empty comment alone, stands in it.
func tokens(t *testing.T, raw []byte, less bool) (all []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(raw))
	var path []string
	left := 0     // the depth of the marti that is being left out
	text := false // the last is text
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%.300q: %v", raw, err)
		}
		said := fmt.Sprintf("%T %q", token, token)
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Space+":"+token.Name.Local)
			if less && left == 0 && len(path) == 3 && path[1] == ":detail" && path[2] == ":marti" {
				left = 3
			}
		case xml.EndElement:
			path = path[:len(path)-1]
			if left > 0 && len(path) < left {
				left = 0
				continue
			}
		case xml.Comment:
			if len(token) == 0 {
				continue
			}
		case xml.CharData:
			if left == 0 && text {
				all[len(all)-1] += string(token)
				continue
			}
			said = string(token)
		}
		if left == 0 {
			_, text = token.(xml.CharData)
			all = append(all, said)
		}
	}
}

func TestEventThatHasNoMartiIsReturnedAsItIs(t *testing.T) {
	for name, piece := range seeds(t) {
		event := accepted(t, piece)
		message, err := cot.ParseMessage(toFrame(t, piece))
		if err != nil {
			t.Fatal(err)
		}
		if event.Marti {
			continue
		}
		if got := event.WithoutMarti(); &got.Raw[0] != &event.Raw[0] || len(got.Raw) != len(event.Raw) {
			t.Errorf("%s: other memory", name)
		} else {
			sameEvent(t, event, got)
		}
		got, err := message.WithoutMarti()
		if err != nil || &got.Frame[0] != &message.Frame[0] || len(got.Frame) != len(message.Frame) {
			t.Errorf("%s: other memory, %v", name, err)
		}
		sameEvent(t, message.Event, got.Event)
	}
	if got, err := (cot.Message{}).WithoutMarti(); err != nil || got.HasEvent() || got.Frame != nil {
		t.Errorf("of no message: %+v, %v", got, err)
	}
}

func TestEventOfAMessageWithoutMarti(t *testing.T) {
	message, err := cot.ParseMessage(toFrame(t, seeds(t)["file-transfer"]))
	if err != nil {
		t.Fatal(err)
	}
	if got := message.Event.WithoutMarti(); got.Raw != nil || got.Marti || got.Dests != nil || got.UID != "ft-1" {
		t.Errorf("got %+v", got)
	}
	if !message.Event.Marti || len(message.Event.Dests) != 2 {
		t.Errorf("it has changed to %+v", message.Event)
	}
}

func TestMartiOutsideOfTheDetailStays(t *testing.T) {
	const piece = `<event><marti/><detail><marti/><a/><marti>` + dest + `</marti></detail><b><marti/></b></event>`
	const want = `<event><marti/><detail><a/></detail><b><marti/></b></event>`
	event := accepted(t, []byte(" <!-- --> "+piece+" "))
	got := event.WithoutMarti()
	if string(got.Raw) != want {
		t.Errorf("got %s", got.Raw)
	}
	checkWithout(t, event, got)
}

// One message goes to many, to some with its marti and to some without.
func TestMessageWithoutMartiLeavesTheOtherAlone(t *testing.T) {
	message, err := cot.ParseMessage(toFrame(t, seeds(t)["file-transfer"]))
	if err != nil {
		t.Fatal(err)
	}
	with := string(message.AppendXML(nil))
	without := string(accepted(t, []byte(with)).WithoutMarti().Raw)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				less, err := message.WithoutMarti()
				if err != nil || string(less.AppendXML(nil)) != without || string(message.AppendXML(nil)) != with {
					t.Errorf("%v, %s, %s", err, less.AppendXML(nil), message.AppendXML(nil))
				}
			}
		})
	}
	all.Wait()
}

// Raw and Frame are the caller's memory. What comes of it once that holds something else is of no use, but no panic.
func TestWithoutMartiOfWhatIsNoLongerThere(t *testing.T) {
	for _, other := range []string{"", "</>", "</><a>", "<marti/></>", "</event>", "<a>", "<event>", "<event></event><", "\x00", "<event><detail><marti>"} {
		event := cot.Event{Raw: []byte(other), Marti: true}
		if got := event.WithoutMarti(); other != "" && got.Raw != nil || got.Marti {
			t.Errorf("%q became %q", other, got.Raw)
		}
	}
	frame := toFrame(t, seeds(t)["file-transfer"])
	message, err := cot.ParseMessage(frame)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		"", "\xBF\x00", "\xBF\x02\x12\x00", "\xBF\x04\x12\x02", "\xBF\x08\x12\x06\x7A\x04\x0A\x02<a", "\xBF\x09\x12\x07\x7A\x05\x0A\x03</>",
	} {
		message.Frame = []byte(other)
		if got, err := message.WithoutMarti(); err == nil || got.HasEvent() || got.Frame != nil {
			t.Errorf("%q became %q, %v", other, got.Frame, err)
		}
	}
}

// What it costs must follow the size.
func TestWithoutMartiOfHostileEventCostsNoMoreThanItsSize(t *testing.T) {
	for name, piece := range hostile() {
		event := accepted(t, piece)
		event.Marti = true // so that it is looked for
		began := time.Now()
		for range 5 {
			event.WithoutMarti()
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: five took %v", name, took)
		}
	}
}

// FuzzWithoutMarti: whatever has a marti is the same event without it, in XML and in protobuf.
func FuzzWithoutMarti(f *testing.F) {
	for _, piece := range seeds(f) {
		f.Add(piece)
	}
	for _, c := range martis {
		f.Add([]byte(with(c.details)))
	}
	for _, c := range addressed {
		f.Add([]byte(with(c.details)))
	}
	f.Add([]byte("<event><detail>]<marti/></detail><detail>]]<marti><dest/></marti>></detail></event>"))
	f.Fuzz(func(t *testing.T, piece []byte) {
		before, err := cot.Parse(piece)
		if err != nil || !before.Marti {
			return
		}
		after := before.WithoutMarti()
		checkRaw(t, after.Raw, after.Raw)
		checkWithout(t, before, after)
		frame, err := before.AppendFrame(nil)
		if err != nil {
			return
		}
		message, err := cot.ParseMessage(frame)
		if err != nil {
			return // it is too long in XML, see FuzzAppendFrame
		}
		less, err := message.WithoutMarti()
		if err != nil {
			t.Fatal(err)
		}
		checkMessageWithout(t, message, less)
		sameMeaning(t, after.Raw, less.AppendXML(nil))
		comesBack(t, after.Raw)
	})
}
