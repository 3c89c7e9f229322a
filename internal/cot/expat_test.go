package cot_test

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/testpki"
)

//go:embed testdata/expat.py
var expatScript string

// opinion is what expat says of a document, with what it read on the way.
type opinion struct {
	WellFormed bool
	Doctype    bool
	Version    string
	Encoding   string
	Depth      int
	Ambiguous  bool   // clients would understand it differently
	Root       string // with its prefix
	UID        string
	Type       string
	How        string
	Callsign   string
	Endpoint   string
}

// forbidden tells whether we refuse the document by a rule of our own, whatever XML says.
func (o opinion) forbidden() bool {
	return o.Doctype || o.Ambiguous || o.Root != "event" || o.Depth > cot.MaxDepth ||
		o.Encoding != "" && !strings.EqualFold(o.Encoding, "UTF-8") ||
		o.Version != "" && (len(o.Version) < 3 || o.Version[:2] != "1." || strings.Trim(o.Version[2:], "0123456789") != "")
}

// askExpat asks Python's expat, with namespaces, for its opinion of each document.
func askExpat(t *testing.T, documents [][]byte) []opinion {
	t.Helper()
	var in bytes.Buffer
	for _, document := range documents {
		in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(document))))
		in.Write(document)
	}
	var wrong bytes.Buffer
	command := exec.CommandContext(t.Context(), testpki.Need(t, "python3"), "-c", expatScript)
	command.Stdin, command.Stderr = &in, &wrong
	out, err := command.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, wrong.Bytes())
	}
	var opinions []opinion
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var o opinion
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		opinions = append(opinions, o)
	}
	if len(opinions) != len(documents) {
		t.Fatalf("%d opinions of %d documents", len(opinions), len(documents))
	}
	return opinions
}

func TestExpatAgreesOnTheTables(t *testing.T) {
	var documents [][]byte
	var names []string
	var want []bool
	add := func(name string, document []byte, wellFormed bool) {
		names, documents, want = append(names, name), append(documents, document), append(want, wellFormed)
	}
	for _, c := range malformed {
		add(c.name, []byte(c.piece), false)
	}
	for _, c := range wellFormed {
		add(c.name, []byte(c.piece), true)
	}
	for _, c := range onlyHere {
		add(c.name, []byte(c.piece), false)
		add(c.name+", the event by itself", accepted(t, []byte(c.piece)).Raw, true)
	}
	unambiguous := len(documents)
	for _, c := range ambiguous {
		add(c.name, []byte(ambiguousEvent(c.piece)), true)
	}
	for k, o := range askExpat(t, documents) {
		if o.WellFormed != want[k] || o.WellFormed && o.Ambiguous != (k >= unambiguous) {
			t.Errorf("%s: expat says %+v of %.200q", names[k], o, documents[k])
		}
	}
}

func TestExpatAgreesOnCharactersOfNames(t *testing.T) {
	var documents [][]byte
	step := rune(1)
	if testing.Short() {
		step = 13
	}
	for r := rune(0x80); r <= 0x10010; r += step {
		documents = append(documents,
			fmt.Appendf(nil, "<event %c='' a%c=''></event>", r, r), fmt.Appendf(nil, "<event a%c=''></event>", r))
	}
	compare(t, documents, map[bool]int{})
}

// Real-looking events are broken at random in a thousand ways, framed, and judged by both. What we accept expat must
// accept and read alike; what expat accepts we must accept, but for the rules of our own.
func TestExpatAgreesOnBrokenEvents(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	events := seeds(t)
	names := slices.Sorted(maps.Keys(events))
	var documents [][]byte
	for k, name := range names {
		random := rand.New(rand.NewPCG(2026, uint64(k)))
		for range rounds {
			document := events[name]
			for range 1 + random.IntN(3) {
				document = breakEvent(random, document)
			}
			var f cot.Framer
			f.Feed(document)
			for {
				piece, ok, err := f.Next()
				if !ok || err != nil {
					break
				}
				documents = append(documents, bytes.Clone(piece))
			}
			f.Release()
		}
	}
	agreed := map[bool]int{}
	compare(t, documents, agreed)
	t.Logf("%d pieces: both accept %d, both refuse %d", len(documents), agreed[true], agreed[false])
	if agreed[true] < len(documents)/20 || agreed[false] < len(documents)/20 {
		t.Error("too few of a kind to prove anything")
	}
}

// compare judges documents and asks expat for its opinion, of the event by itself where there is one.
func compare(t *testing.T, documents [][]byte, agreed map[bool]int) {
	t.Helper()
	asked := slices.Clone(documents)
	events := make([]cot.Event, len(documents))
	errs := make([]error, len(documents))
	for k, document := range documents {
		if events[k], errs[k] = cot.Parse(document); errs[k] == nil {
			asked[k] = events[k].Raw
		}
	}
	for k, o := range askExpat(t, asked) {
		e := events[k]
		switch ours := errs[k] == nil; {
		case !ours && o.WellFormed && !o.forbidden():
			t.Errorf("expat accepts %q, we say %v", documents[k], errs[k])
		case ours && !o.WellFormed:
			t.Errorf("expat refuses %q", asked[k])
		case ours && o.Ambiguous:
			t.Errorf("clients understand differently %q", asked[k])
		case ours && (e.UID != o.UID || e.Type != o.Type || e.How != o.How ||
			e.Callsign != o.Callsign || e.Endpoint != o.Endpoint):
			t.Errorf("of %q\nwe read    %+v\nexpat reads %+v", asked[k], e, o)
		default:
			if ours {
				sameFacts(t, e)
			}
			agreed[ours]++
		}
	}
}

// breakEvent returns the document with one thing done to it that hand-made, cut or hostile XML may have.
func breakEvent(random *rand.Rand, document []byte) []byte {
	at := random.IntN(len(document))
	end := min(len(document), at+1+random.IntN(12))
	splice := func(at, end int, with string) []byte {
		return slices.Concat(document[:at], []byte(with), document[end:])
	}
	tokens := []string{
		"<", ">", "&", ";", "\"", "'", "=", "/", ":", "!", "?", "-", "[", "]", "#", " ", "\t", "\r\n", "\x00",
		"\x0b", "\x7f", "\x80", "\xff", "é", "\u0085", "\ufffe", "\ufffd", "\xed\xa0\x80", "\xc0\xaf", "\U0001F3D4",
		"<a>", "</a>", "<a/>", "<p:a xmlns:p='u'/>", "<a></a >", "<!--", "-->", "--", "<!-- a -->", "<![CDATA[",
		"]]>", "<![CDATA[a]]>", "<?p ", "?>", "<?p a?>", "<?xml version='1.0'?>", "&amp;", "&#65;", "&#x1F3D4;",
		"&#xD800;", "&#9;", "&nbsp;", " xmlns:p='u'", " xmlns='u'", " xmlns:p=''", " p:a=''", " xml:lang='x'",
		" uid='x'", " type='a&#10;b'", " callsign=\"a\r\nb\"", "p:", "xml:", "xmlns:", "xmlns", "<event>",
		"<event/>", "</event >", "<!DOCTYPE event>", " encoding='latin1'", "<detail>", "<contact callsign='z'/>", " xml:uid='x'", " xml:callsign='x'", "<xml:link/>", "<xml:detail/>", "<point/>",
		"</detail>", "<marti>", "</marti>", "<marti/>", "<dest uid='z'/>", "<__chat>", "<chatgrp uid1='z'/>", "<link uid='z'/>",
	}
	// Places where a token most likely leaves a document well-formed, or nearly so.
	places := func(of string) int {
		var found []int
		for k := range document {
			if strings.HasPrefix(string(document[k:min(len(document), k+len(of))]), of) {
				found = append(found, k)
			}
		}
		if len(found) == 0 {
			return at
		}
		return found[random.IntN(len(found))]
	}
	token := tokens[random.IntN(len(tokens))]
	switch random.IntN(9) {
	case 0:
		return splice(at, end, "")
	case 1:
		return splice(at, at, string(document[at:end]))
	case 2:
		return splice(at, at+1, string(rune(random.IntN(128))))
	case 3:
		return splice(at, at, token)
	case 4:
		at = places(">")
		return splice(at, at, token)
	case 5:
		at = places("<")
		return splice(at, at, token)
	case 6:
		at = places("\"")
		return splice(at, at, token)
	case 7:
		at = places(" ")
		return splice(at, at, token)
	default:
		// A tag or an attribute again somewhere else.
		from := places([]string{"<", " "}[random.IntN(2)])
		length := bytes.IndexAny(document[from+1:], "> ") + 2
		at = places([]string{"<", " ", ">"}[random.IntN(3)])
		return splice(at, at, string(document[from:min(len(document), from+length)]))
	}
}
