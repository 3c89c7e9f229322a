package cot_test

import (
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// addressed are details that say whom an event is for, or seem to.
var addressed = []struct {
	name, details string
	want          cot.Event // Dests, Marti and Chat
}{
	{"nothing", `<contact callsign="a"/>`, cot.Event{}},
	// marti
	{"dests of every kind",
		`<marti><dest callsign="a"/><dest uid="b"></dest><dest group="c"/> <dest mission="d"/><!-- --><dest mission-guid="e"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestCallsign, Value: "a"}, {Kind: cot.DestUID, Value: "b"},
			{Kind: cot.DestGroup, Value: "c"}, {Kind: cot.DestMission, Value: "d"}, {Kind: cot.DestMission, Value: "e"}}}},
	{"several in one dest", `<marti><dest mission="a" path="x" uid="b" callsign="c"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestMission, Value: "a"}, {Kind: cot.DestUID, Value: "b"},
			{Kind: cot.DestCallsign, Value: "c"}}}},
	{"several marti", `<marti><dest uid="a"/></marti><marti/><a/><marti><dest uid="b"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestUID, Value: "a"}, {Kind: cot.DestUID, Value: "b"}}}},
	{"the same twice", `<marti><dest uid="a"/><dest uid="a"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestUID, Value: "a"}, {Kind: cot.DestUID, Value: "a"}}}},
	{"empty marti", `<marti/>`, cot.Event{Marti: true}},
	{"empty values", `<marti><dest callsign="" uid=''/><dest/></marti>`, cot.Event{Marti: true}},
	{"references and white space", "<marti><dest callsign=\"a&amp;&#x1F3D4;\n&#10;\" uid=' '/></marti>",
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestCallsign, Value: "a&🏔 \n"}, {Kind: cot.DestUID, Value: " "}}}},
	{"a default namespace changes nothing", `<marti xmlns="u"><dest uid="a"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestUID, Value: "a"}}}},
	{"prefixes", `<p:marti xmlns:p="u"><dest uid="a"/></p:marti><marti xmlns:p="u"><p:dest uid="b"/><dest p:uid="c"/></marti>`,
		cot.Event{Marti: true}},
	{"other names", `<Marti><dest uid="a"/></Marti><marti><Dest uid="b"/><dest UID="c" to="d"/></marti><dest uid="e"/>`,
		cot.Event{Marti: true}},
	{"too deep", `<a><marti><dest uid="a"/></marti></a><marti><a><dest uid="b"/></a><marti><dest uid="c"/></marti></marti>`,
		cot.Event{Marti: true}},
	{"in a comment", `<!-- <marti><dest uid="a"/></marti> --><![CDATA[<marti/>]]>`, cot.Event{}},
	{"dest in other elements, once there was a marti", `<marti/><a><dest uid="a"/></a><__chat><dest uid="b"/></__chat>`,
		cot.Event{Marti: true}},
	// __chat
	{"a chat", `<__chat parent="RootContactGroup" chatroom="a" id="b" senderCallsign="c" messageId="d"><chatgrp uid0="e" uid1="f" id="g"/></__chat>`,
		cot.Event{Chat: cot.Chat{Room: "a", ID: "b", Parent: "RootContactGroup", Members: []string{"f"}}}},
	{"a receipt", `<__chatreceipt id="b"><chatgrp uid1="f"></chatgrp></__chatreceipt>`,
		cot.Event{Chat: cot.Chat{ID: "b", Members: []string{"f"}}}},
	{"a chat without anything", `<__chat/>`, cot.Event{}},
	{"members in the order of their numbers", `<__chat><chatgrp uid10="j" uid9="i" uid2="b" uid1="a" uid0="z" uid100="k"/></__chat>`,
		cot.Event{Chat: cot.Chat{Members: []string{"a", "b", "i", "j", "k"}}}},
	{"numbers beyond any", `<__chat><chatgrp uid99999999999999999999999="c" uid18446744073709551617="b" uid2="a"/></__chat>`,
		cot.Event{Chat: cot.Chat{Members: []string{"a", "b", "c"}}}},
	{"no members", `<__chat><chatgrp uid0="a" uid="b" uid01="c" uid1a="d" uid-1="e" Uid1="f" uids1="g" uid1.0="h" uid5=""/></__chat>`, cot.Event{}},
	{"members with a prefix", `<__chat xmlns:p="u"><chatgrp p:uid1="a"/></__chat>`, cot.Event{}},
	{"references in all", `<__chat chatroom="&lt;a" id="&#65;" parent="&quot;"><chatgrp uid1="&amp;" uid2=" "/></__chat>`,
		cot.Event{Chat: cot.Chat{Room: "<a", ID: "A", Parent: `"`, Members: []string{"&", " "}}}},
	{"the first chat counts", `<__chatreceipt id="a"/><__chat id="b"><chatgrp uid1="c"/></__chat>`,
		cot.Event{Chat: cot.Chat{ID: "a"}}},
	{"an empty first chat counts", `<__chat/><__chat id="b"><chatgrp uid1="c"/></__chat>`, cot.Event{}},
	{"the first chatgrp counts", `<__chat><hierarchy/><chatgrp/><chatgrp uid1="c"/></__chat>`, cot.Event{}},
	{"chatgrp in other places", `<chatgrp uid1="a"/><__chat id="a"><b><chatgrp uid1="b"/></b></__chat><c><chatgrp uid1="c"/></c>`,
		cot.Event{Chat: cot.Chat{ID: "a"}}},
	{"chat in other places", `<a><__chat id="a"/></a><p:__chat xmlns:p="u" id="b"/><chat id="c"/><__Chat id="d"/>`, cot.Event{}},
	{"both", `<marti><dest uid="a"/></marti><__chat id="b"><chatgrp uid1="c"/></__chat><marti><dest callsign="d"/></marti>`,
		cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestUID, Value: "a"}, {Kind: cot.DestCallsign, Value: "d"}},
			Chat: cot.Chat{ID: "b", Members: []string{"c"}}}},
}

func TestAddresseesAreRead(t *testing.T) {
	for _, c := range addressed {
		t.Run(c.name, func(t *testing.T) {
			got := accepted(t, []byte(with(c.details)))
			sameEvent(t, c.want, cot.Event{Dests: got.Dests, Marti: got.Marti, Chat: got.Chat})
			comesBack(t, []byte(with(c.details)))
		})
	}
}

// None of this is an addressee, for none of it stands in the detail of the event.
func TestAddresseesElsewhereAreNotRead(t *testing.T) {
	const all = `<marti><dest uid="a"/></marti><__chat id="b"><chatgrp uid1="c"/></__chat>`
	for _, piece := range []string{
		"<event>" + all + "</event>",
		"<event><details>" + all + "</details></event>",
		"<auth><detail>" + all + "</detail></auth><event></event>",
		"<auth><detail>" + all + "</detail></auth><event><detail><a><dest uid='a'/><chatgrp uid1='c'/></a></detail></event>",
	} {
		sameEvent(t, cot.Event{}, accepted(t, []byte(piece)))
	}
	sameEvent(t, cot.Event{Marti: true, Dests: []cot.Dest{{Kind: cot.DestUID, Value: "a"}}, Chat: cot.Chat{ID: "b", Members: []string{"c"}}},
		accepted(t, []byte("<event><a>"+all+"</a><detail>"+all+"</detail>"+all+"</event>")))
}

func TestAddresseesThatDevicesWrite(t *testing.T) {
	for name, want := range map[string]cot.Event{
		"geochat-all": {Chat: cot.Chat{Room: "All Chat Rooms", ID: "All Chat Rooms", Parent: "RootContactGroup", Members: []string{"All Chat Rooms"}}},
		"geochat-direct": {Marti: true, Dests: []cot.Dest{{Kind: cot.DestCallsign, Value: "ALPINE 2"}},
			Chat: cot.Chat{Room: "ALPINE 2", ID: "ANDROID-0a1b2c3d4e5f6071", Parent: "RootContactGroup", Members: []string{"ANDROID-0a1b2c3d4e5f6071"}}},
		"geochat-delivered": {Chat: cot.Chat{Room: "ALPINE 1", ID: "ANDROID-6f3b9a1c20d4e857", Parent: "RootContactGroup",
			Members: []string{"ANDROID-6f3b9a1c20d4e857"}}},
		"geochat-room": {Marti: true, Dests: []cot.Dest{{Kind: cot.DestCallsign, Value: "ALPINE 2"}, {Kind: cot.DestCallsign, Value: "BASE & CAMP"}},
			Chat: cot.Chat{Room: "rope team 2", ID: "c1d2e3f4-5555-4666-8777-888899990000", Parent: "UserGroups",
				Members: []string{"ANDROID-0a1b2c3d4e5f6071", "S-1-5-21-1"}}},
		"file-transfer":  {Marti: true, Dests: []cot.Dest{{Kind: cot.DestCallsign, Value: "ALPINE 2"}, {Kind: cot.DestUID, Value: "S-1-5-21-1"}}},
		"marker-mission": {Marti: true, Dests: []cot.Dest{{Kind: cot.DestMission, Value: "valley"}}},
		"position-atak":  {},
	} {
		got := accepted(t, seeds(t)[name])
		t.Run(name, func(t *testing.T) { sameEvent(t, want, cot.Event{Dests: got.Dests, Marti: got.Marti, Chat: got.Chat}) })
	}
}

// What was read of one piece must not be found in the next, whatever has become of the first.
func TestAddresseesAreNotCarriedOver(t *testing.T) {
	for range 3 {
		refused(t, `<event><detail><marti><dest uid="a"/></marti><__chat id="a"><chatgrp uid1="a"/></__chat><`,
			"byte 89: a tag has no proper name")
		sameEvent(t, cot.Event{Marti: true, Chat: cot.Chat{ID: "b"}},
			accepted(t, []byte(`<event><detail><marti/><__chat id="b"/></detail></event>`)))
		event := accepted(t, []byte(with(`<marti><dest uid="a"/></marti>`)))
		if _, err := event.AppendFrame(nil); err != nil {
			t.Fatal(err)
		}
		sameEvent(t, cot.Event{}, accepted(t, []byte(`<event></event>`)))
		accepted(t, []byte(`<event><detail><marti/><__chat/></detail></event>`))
		sameEvent(t, cot.Event{Marti: true, Chat: cot.Chat{ID: "b"}},
			accepted(t, []byte(`<event><detail><marti/><a><chatgrp uid1="a"/></a><__chat id="b"/></detail></event>`)))
	}
}

func TestAsManyAddresseesAsFit(t *testing.T) {
	const head, tail = "<event><detail>", "</detail></event>"
	dests := (cot.MaxEvent - len(head+tail+"<marti></marti>")) / len("<dest uid='a'/>")
	event := accepted(t, []byte(head+"<marti>"+repeat("<dest uid='a'/>", dests)+"</marti>"+tail))
	if len(event.Dests) != dests || event.Dests[dests-1] != (cot.Dest{Kind: cot.DestUID, Value: "a"}) {
		t.Errorf("%d of %d", len(event.Dests), dests)
	}
	event = accepted(t, []byte(head+"<__chat><chatgrp"+numbered(4000, ` uid%d=" %[1]d"`)+"/></__chat>"+tail))
	if len(event.Chat.Members) != 3999 || strings.Join(event.Chat.Members[997:1001], ",") != " 998, 999, 1000, 1001" {
		t.Errorf("%d, %q", len(event.Chat.Members), event.Chat.Members[997:1001])
	}
}
