package cot_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"iter"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// sameFacts checks what was read of an event in XML against what encoding/xml reads, but for the time.
func sameFacts(t *testing.T, event cot.Event) {
	t.Helper()
	want := factsOf(t, event.Raw)
	got := legibleFacts(event)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("of %q\n got %+v\nwant %+v", event.Raw, got, want)
	}
	sameLoosely(t, event.Raw, got)
}

// legibleFacts returns an event as factsOf would: encoding/xml does not tell a line end that is written as such from
// one that is a reference.
func legibleFacts(e cot.Event) cot.Event {
	e.Raw, e.Stale = nil, time.Time{}
	e.Dests, e.Chat.Members = slices.Clone(e.Dests), slices.Clone(e.Chat.Members)
	for _, s := range []*string{&e.UID, &e.Type, &e.How, &e.Callsign, &e.Endpoint, &e.Team, &e.Link, &e.Chat.Room, &e.Chat.ID, &e.Chat.Parent} {
		*s = valueMeaning(*s)
	}
	for i := range e.Dests {
		e.Dests[i].Value = valueMeaning(e.Dests[i].Value)
	}
	for i := range e.Chat.Members {
		e.Chat.Members[i] = valueMeaning(e.Chat.Members[i])
	}
	return e
}

// factsOf reads an event in XML with encoding/xml.
func factsOf(t *testing.T, raw []byte) (e cot.Event) {
	t.Helper()
	met := map[string]bool{}
	inChat := false // the last element in the details was the chat that counts
	first := func(kind string) bool {
		before := met[kind]
		met[kind] = true
		return !before
	}
	for start, in := range startTags(t, raw) {
		name := start.Name.Local
		if start.Name.Space != "" {
			name = start.Name.Space + ":" + name
		}
		inDetail := len(in) > 1 && in[1] == xml.Name{Local: "detail"}
		values := plainAttributes(start.Attr)
		switch {
		case len(in) == 0:
			e.UID, e.Type, e.How = values["uid"], values["type"], values["how"]
		case len(in) == 2 && inDetail:
			inChat = false
			switch name {
			case "contact":
				if first(name) {
					e.Callsign, e.Endpoint = values["callsign"], values["endpoint"]
				}
			case "__group":
				if first(name) {
					e.Team = values["name"]
				}
			case "link":
				if e.IsDelete() {
					e.Link = values["uid"]
				}
			case "__chat", "__chatreceipt":
				if inChat = first("chat"); inChat {
					e.Chat = cot.Chat{Room: values["chatroom"], ID: values["id"], Parent: values["parent"]}
				}
			case "marti":
				e.Marti = true
			}
		case len(in) == 3 && inDetail && in[2] == xml.Name{Local: "marti"} && name == "dest":
			e.Dests = append(e.Dests, destsOf(start.Attr)...)
		case len(in) == 3 && inDetail && inChat && name == "chatgrp" && first(name):
			e.Chat.Members = membersOf(values)
		}
	}
	return e
}

// startTags returns the start tags in raw, and the names of the elements that each stands in, the outermost first. A
// prefix is the name's Space.
func startTags(t *testing.T, raw []byte) iter.Seq2[xml.StartElement, []xml.Name] {
	return func(yield func(xml.StartElement, []xml.Name) bool) {
		t.Helper()
		var open []xml.Name
		for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
			token, err := d.RawToken()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("%.300q: %v", raw, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				if !yield(token, open) {
					return
				}
				open = append(open, token.Name)
			case xml.EndElement:
				open = open[:len(open)-1]
			}
		}
	}
}

func destsOf(attributes []xml.Attr) (dests []cot.Dest) {
	kinds := map[string]cot.DestKind{
		"callsign": cot.DestCallsign, "uid": cot.DestUID, "group": cot.DestGroup,
		"mission": cot.DestMission, "mission-guid": cot.DestMission,
	}
	for _, a := range attributes {
		if kind := kinds[a.Name.Local]; a.Name.Space == "" && kind != 0 && a.Value != "" {
			dests = append(dests, cot.Dest{Kind: kind, Value: valueMeaning(a.Value)})
		}
	}
	return dests
}

// uidNumber is the name of a member, with its number.
var uidNumber = regexp.MustCompile(`^uid([1-9][0-9]*)$`)

func membersOf(values map[string]string) (members []string) {
	type member struct {
		number *big.Int
		uid    string
	}
	var all []member
	for name, value := range values {
		if found := uidNumber.FindStringSubmatch(name); found != nil && value != "" {
			number, _ := new(big.Int).SetString(found[1], 10)
			all = append(all, member{number, value})
		}
	}
	slices.SortFunc(all, func(a, b member) int { return a.number.Cmp(b.number) })
	for _, m := range all {
		members = append(members, m.uid)
	}
	return members
}
