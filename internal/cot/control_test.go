package cot_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

func TestNegotiationIsWrittenAsBefore(t *testing.T) {
	for name, event := range map[string][]byte{
		"protocol-support":  cot.ProtocolSupport("0b9a7c55-6666-4777-8888-999999999999", noon()),
		"protocol-accepted": cot.ProtocolResponse("0b9a7c55-6666-4777-8888-999999999999", true, noon()),
		"protocol-refused":  cot.ProtocolResponse("a&\"<b>", false, noon()),
	} {
		file := "testdata/notices/" + name + ".xml"
		if *update {
			if err := os.WriteFile(file, event, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(event) != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, event, want)
		}
		if e := accepted(t, event); !e.IsControl() || e.IsProtocolRequest() || e.RequestedVersion() != -1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if cot.ProtocolSupport(repeat(`"`, cot.MaxEvent/6), noon()) != nil || cot.ProtocolResponse(repeat(`"`, cot.MaxEvent/6), true, noon()) != nil {
		t.Error("too long, but made")
	}
}

func TestRequestedVersion(t *testing.T) {
	request := string(seeds(t)["protocol-request"])
	details := func(xml string) string {
		before, _, _ := strings.Cut(request, "<detail>")
		return before + xml + "</event>"
	}
	for _, c := range []struct {
		name, event string
		want        int
	}{
		{"as ATAK asks", request, 1},
		{"with detail extensions", strings.Replace(request, "version='1'/>", `version="1"><DetailExt id="7"/></TakRequest>`, 1), 1},
		{"a later version", strings.Replace(request, "version='1'", "version='12'", 1), 12},
		{"a reference", strings.Replace(request, "version='1'", "version='&#49;'", 1), 1},
		{"not a number", strings.Replace(request, "version='1'", "version='1.0'", 1), -1},
		{"negative", strings.Replace(request, "version='1'", "version='-1'", 1), -1},
		{"huge", strings.Replace(request, "version='1'", "version='99999999999999999999'", 1), -1},
		{"no version", strings.Replace(request, " version='1'/>", "/>", 1), -1},
		{"another type", strings.Replace(request, "t-x-takp-q", "t-x-takp-r", 1), -1},
		{"an offer", string(seeds(t)["protocol-offer"]), -1},
		{"no detail", details(""), -1},
		{"empty detail", details("<detail/>"), -1},
		{"empty TakControl", details("<detail><TakControl/></detail>"), -1},
		{"the second of each", details("<detail><TakControl/><TakControl><TakRequest version='1'/></TakControl></detail>"), -1},
		{"behind others",
			details("<detail><a/><b><TakControl/></b><TakControl>text<!-- --><a><TakRequest/></a><TakRequest version='1'/></TakControl></detail>"), 1},
		{"not in TakControl", details("<detail><TakRequest version='1'/></detail>"), -1},
		{"too deep", details("<detail><a><TakControl><TakRequest version='1'/></TakControl></a></detail>"), -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := accepted(t, []byte(c.event)).RequestedVersion(); got != c.want {
				t.Errorf("got %d", got)
			}
		})
	}
}

func TestNoticesInProtobufSayWhatThoseInXMLSay(t *testing.T) {
	for _, c := range []struct {
		name          string
		frame, notice []byte
	}{
		{"pong", cot.PongFrame(noon()), cot.Pong(noon())},
		{"gone", cot.GoneFrame("a&b<c>\"", "a-f", "\U0001F3D4 'x'", noon()), cot.Gone("a&b<c>\"", "a-f", "\U0001F3D4 'x'", noon())},
		{"gone without callsign", cot.GoneFrame("a", "a-f", "", noon()), cot.Gone("a", "a-f", "", noon())},
		{"the longest", cot.GoneFrame("a", "a-f", repeat("x", cot.MaxEvent-400), noon()), cot.Gone("a", "a-f", repeat("x", cot.MaxEvent-400), noon())},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := toXML(t, c.frame); string(got) != string(c.notice) {
				t.Errorf("\n got %.500s\nwant %.500s", got, c.notice)
			}
		})
	}
	if got := cot.GoneFrame(repeat(`"`, cot.MaxEvent/6), "a-f", "", noon()); got != nil {
		t.Errorf("got %d bytes", len(got))
	}
}
