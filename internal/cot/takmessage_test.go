package cot_test

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/testpki"
)

//go:embed testdata/takmessage.py
var takMessageScript string

// TestPythonReadsTheSameInBothForms asks a reader of the wire format that shares nothing with ours.
func TestPythonReadsTheSameInBothForms(t *testing.T) {
	var names []string
	var in bytes.Buffer
	add := func(name string, document, frame []byte) {
		names = append(names, name)
		for _, part := range [][]byte{document, frame} {
			in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
			in.Write(part)
		}
	}
	for name, event := range seeds(t) {
		add(name, accepted(t, event).Raw, toFrame(t, event))
		add(name+", back from protobuf", toXML(t, toFrame(t, event)), toFrame(t, event))
	}
	full := encode(t, fullMessage())
	add("full message", toXML(t, full), full)
	add("pong", cot.Pong(noon()), cot.PongFrame(noon()))
	add("gone", cot.Gone("a&b", "a-f", "c", noon()), cot.GoneFrame("a&b", "a-f", "c", noon()))
	add("prefixes", []byte(strings.Replace(with(`<p:a q:b="c"><q:d/></p:a><e/>`), "<event", `<event xmlns:p="urn:a" xmlns:q="urn:b"`, 1)),
		toFrame(t, []byte(strings.Replace(with(`<p:a q:b="c"><q:d/></p:a><e/>`), "<event", `<event xmlns:p="urn:a" xmlns:q="urn:b"`, 1))))
	wrong := len(names)
	add("another uid", bytes.Replace(cot.Pong(noon()), []byte("takPong"), []byte("takpong"), 1), cot.PongFrame(noon()))
	add("a detail less", []byte(with("<a/><b/>")), toFrame(t, []byte(with("<a/>"))))
	add("a byte less", cot.Pong(noon()), cot.PongFrame(noon())[:60])

	var complaint bytes.Buffer
	command := exec.CommandContext(t.Context(), testpki.Need(t, "python3"), "-c", takMessageScript)
	command.Stdin, command.Stderr = &in, &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, complaint.Bytes())
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for i, name := range names {
		var faults []string
		if err := d.Decode(&faults); err != nil {
			t.Fatal(err)
		}
		if i < wrong && len(faults) > 0 {
			t.Errorf("%s: %s", name, strings.Join(faults, "\n"))
		}
		if i >= wrong && len(faults) == 0 {
			t.Errorf("%s: no fault found", name)
		}
	}
}
