package cot

import (
	"bytes"
	"hash/maphash"
)

const (
	xmlURI   = "http://www.w3.org/XML/1998/namespace"
	xmlnsURI = "http://www.w3.org/2000/xmlns/"
)

// Numbers of namespaces that need no declaration; declared ones follow.
const (
	noNamespace = iota
	xmlNamespace
	xmlnsNamespace
	firstDeclared
)

// namespaces holds the bindings of prefixes in force. The default namespace is not kept: it makes no name wrong.
// Looking a prefix up costs the same however many there are, or a hostile event could make it the whole cost.
type namespaces struct {
	prefixes table
	uris     table
	current  []int // for each prefix its binding in force, -1 for none
	bindings []binding
}

type binding struct {
	prefix, uri int
	outer       int // what the prefix was bound to outside the element, -1 for nothing
}

func (n *namespaces) bind(prefix, uri []byte) {
	p, fresh := n.prefixes.put(0, prefix)
	if fresh {
		n.current = append(n.current, -1)
	}
	u, _ := n.uris.put(0, uri)
	n.bindings = append(n.bindings, binding{prefix: p, uri: firstDeclared + u, outer: n.current[p]})
	n.current[p] = len(n.bindings) - 1
}

// unbind ends all bindings but the first keep.
func (n *namespaces) unbind(keep int) {
	for len(n.bindings) > keep {
		last := n.bindings[len(n.bindings)-1]
		n.current[last.prefix] = last.outer
		n.bindings = n.bindings[:len(n.bindings)-1]
	}
}

// lookup returns the number of the namespace that a prefix is bound to; ok is false where it is bound to none.
func (n *namespaces) lookup(prefix []byte) (uri int, ok bool) {
	switch string(prefix) {
	case "xml":
		return xmlNamespace, true
	case "xmlns":
		return 0, false
	}
	p, found := n.prefixes.find(0, prefix)
	if !found || n.current[p] < 0 {
		return 0, false
	}
	return n.bindings[n.current[p]].uri, true
}

func (n *namespaces) forget() {
	n.prefixes.forget()
	n.uris.forget()
	n.current, n.bindings = n.current[:0], n.bindings[:0]
}

// declare binds what the attributes of the tag just read declare (Namespaces in XML, 3).
func (s *scanner) declare() bool {
	for _, a := range s.attributes {
		var prefix []byte
		switch n := a.name; {
		case n.colon < 0 && string(s.b[n.start:n.end]) == "xmlns":
		case n.colon >= 0 && string(s.b[n.start:n.colon]) == "xmlns":
			prefix = s.b[n.colon+1 : n.end]
		default:
			continue
		}
		uri := s.value(a)
		isXML := string(uri) == xmlURI
		switch {
		case string(prefix) == "xmlns":
			return s.refuse(a.name.start, "the prefix xmlns is declared")
		case string(prefix) == "xml":
			if !isXML {
				return s.refuse(a.name.start, "the prefix xml is bound to another namespace")
			}
			continue
		case isXML || string(uri) == xmlnsURI:
			return s.refuse(a.name.start, "a reserved namespace is declared")
		case prefix == nil:
			continue
		case len(uri) == 0:
			return s.refuse(a.name.start, "a prefix is bound to nothing")
		}
		s.names.bind(prefix, uri)
	}
	return true
}

// distinctExpanded tells whether every prefix in the tag is declared, and no two attributes have the same local name in
// the same namespace (Namespaces in XML, 5 and 6.3).
func (s *scanner) distinctExpanded(tag name) bool {
	if tag.colon >= 0 {
		if _, ok := s.names.lookup(s.b[tag.start:tag.colon]); !ok {
			return s.refuse(tag.start, "a prefix is not declared")
		}
	}
	s.expanded.reset(len(s.attributes))
	for _, a := range s.attributes {
		n := a.name
		local, space := s.b[n.start:n.end], noNamespace
		if n.colon >= 0 {
			local = s.b[n.colon+1 : n.end]
			space = xmlnsNamespace
			if prefix := s.b[n.start:n.colon]; string(prefix) != "xmlns" {
				var ok bool
				if space, ok = s.names.lookup(prefix); !ok {
					return s.refuse(n.start, "a prefix is not declared")
				}
			}
		}
		if _, fresh := s.expanded.put(space, local); !fresh {
			return s.refuse(n.start, "two attributes of a tag have the same name")
		}
	}
	return true
}

// table numbers distinct keys from 0 in the order of their coming. Its hash is seeded, so that no peer can choose keys
// that collide. It is a map that can be emptied and filled again without allocating, and takes []byte keys.
type table struct {
	seed  maphash.Seed
	slots []int32 // number + 1 of a key, 0 where free; a power of two, at most half full
	keys  []tableKey
}

type tableKey struct {
	space int
	name  []byte
	hash  uint64
}

// reset empties the table and makes room for n keys.
func (t *table) reset(n int) {
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(t.slots) < size {
		t.slots = make([]int32, size)
	}
	t.slots = t.slots[:size]
	clear(t.slots)
	t.keys = t.keys[:0]
}

// forget empties the table and lets go of what its keys point at; a table not used since costs nothing.
func (t *table) forget() {
	if len(t.slots) == 0 {
		return
	}
	clear(t.keys[:cap(t.keys)])
	t.keys, t.slots = t.keys[:0], t.slots[:0]
}

func (t *table) hash(space int, name []byte) uint64 {
	return maphash.Bytes(t.seed, name) ^ uint64(space)*0x9E3779B97F4A7C15
}

func (t *table) find(space int, name []byte) (int, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	_, number := t.slot(t.hash(space, name), space, name)
	return number, number >= 0
}

// put returns the number of a key and whether it is new.
func (t *table) put(space int, name []byte) (int, bool) {
	if 2*len(t.keys) >= len(t.slots) {
		t.grow()
	}
	h := t.hash(space, name)
	slot, number := t.slot(h, space, name)
	if number >= 0 {
		return number, false
	}
	t.keys = append(t.keys, tableKey{space, name, h})
	t.slots[slot] = int32(len(t.keys))
	return len(t.keys) - 1, true
}

// slot returns where a key is or belongs, and its number or -1.
func (t *table) slot(h uint64, space int, name []byte) (slot, number int) {
	mask := len(t.slots) - 1
	for slot = int(h) & mask; t.slots[slot] != 0; slot = (slot + 1) & mask {
		number = int(t.slots[slot]) - 1
		if k := &t.keys[number]; k.hash == h && k.space == space && bytes.Equal(k.name, name) {
			return slot, number
		}
	}
	return slot, -1
}

func (t *table) grow() {
	if len(t.keys) == 0 {
		t.reset(0)
		return
	}
	t.slots = make([]int32, 2*len(t.slots))
	for number, k := range t.keys {
		slot := int(k.hash) & (len(t.slots) - 1)
		for t.slots[slot] != 0 {
			slot = (slot + 1) & (len(t.slots) - 1)
		}
		t.slots[slot] = int32(number + 1)
	}
}
