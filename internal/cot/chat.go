package cot

import (
	"bytes"
	"cmp"
	"slices"
)

// Chat says to which conversation a GeoChat message belongs, or a receipt for one, in the words of its sender: the
// attributes of event/detail/__chat or __chatreceipt and of the first chatgrp directly in it, as ATAK, WinTAK and iTAK
// write them. The zero value is that of an event without either.
type Chat struct {
	Room   string // @chatroom: the name of the room, or the callsign of the other where two talk
	ID     string // @id: the uid of the room, such as "All Chat Rooms", or that of the other where two talk
	Parent string // @parent: of the room, such as RootContactGroup

	// Members are the uids of those whom it is for: chatgrp/@uid1, @uid2 and so on, by their numbers, whatever numbers
	// are missing. The sender, @uid0, is not among them, nor is an empty one. A number with a leading zero is none. For
	// a room that everybody is in, ATAK writes its uid here too. It is nil where there are none.
	Members []string
}

// readChat reads the start tag just read, that of the chat that counts.
func (s *scanner) readChat(tag name) {
	w := &s.wanted
	w.chatTag = tag.start
	w.room, w.chat, w.parent = s.find("chatroom"), s.find("id"), s.find("parent")
}

// member is one of Members to be.
type member struct {
	digits, end int32 // where its number is written in the piece, without leading zeros
	value       value
}

// readMembers reads the start tag just read, that of the chatgrp that counts.
func (s *scanner) readMembers() {
	for k := range s.attributes {
		a := &s.attributes[k]
		if a.value < a.end && isMember(s.b[a.name.start:a.name.end]) {
			s.wanted.members = append(s.wanted.members, member{int32(a.name.start + len("uid")), int32(a.name.end), a.asValue()})
		}
	}
}

// isMember tells whether a name is uid1, uid2 and so on, however long the number is.
func isMember(name []byte) bool {
	if !hasPrefix(name, "uid") || len(name) == len("uid") || name[len("uid")] == '0' {
		return false
	}
	for _, c := range name[len("uid"):] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// gatherChat appends what was read of the chat.
func (s *scanner) gatherChat(all []byte) []byte {
	w := &s.wanted
	all = s.gather(all, &w.room)
	all = s.gather(all, &w.chat)
	all = s.gather(all, &w.parent)
	if len(w.members) > 1 {
		slices.SortFunc(w.members, s.compareMembers)
	}
	for k := range w.members {
		all = s.gather(all, &w.members[k].value)
	}
	return all
}

// compareMembers compares the numbers of two members. Of two without leading zeros the longer is the greater.
func (s *scanner) compareMembers(a, b member) int {
	return cmp.Or(cmp.Compare(a.end-a.digits, b.end-b.digits), bytes.Compare(s.b[a.digits:a.end], s.b[b.digits:b.end]))
}

// chatIn returns the chat that was read, from the text that it has been gathered into.
func (w *wanted) chatIn(text string) Chat {
	c := Chat{Room: w.room.in(text), ID: w.chat.in(text), Parent: w.parent.in(text)}
	if len(w.members) > 0 {
		c.Members = make([]string, len(w.members))
		for k := range w.members {
			c.Members[k] = w.members[k].value.in(text)
		}
	}
	return c
}
