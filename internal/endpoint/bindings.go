package endpoint

import (
	"container/list"
	"errors"
	"strings"
	"sync"
	"time"
)

// A Binding says what becomes of an event about a uid that is another name's. The zero Binding is [BindStrict].
type Binding int

const (
	BindStrict Binding = iota // it is dropped, logged and counted
	BindWarn                  // it is logged, counted and passed on
	BindOff                   // nobody looks
)

const (
	// absence is how long a name may be away before its uid is free.
	absence = 24 * time.Hour
	// longestUID is how many bytes a uid may have, and a callsign for anybody to remember whose it was: those of real
	// devices have some dozens.
	longestUID = 1 << 10
	// maxBindings and maxBindingBytes bound the memory; of more, the one whose device was heard longest ago goes.
	maxBindings, maxBindingBytes = 100_000, 40 << 20
	// nameBindings and nameBindingBytes bound those of one name, so that nobody can push out the others'.
	nameBindings, nameBindingBytes = 1000, 512 << 10
)

// errLongUID is why an event is dropped that nobody could be bound to.
var errLongUID = errors.New("its uid is longer than 1 KiB")

// bindings remember which name, as the certificate proves it, speaks for which uid: the first one that claims it as its own
// position, until it was not heard for a day. So no device can put another one on the map somewhere else.
type bindings struct {
	all, each room

	mu    sync.Mutex
	byUID map[string]*list.Element // of *bound
	order list.List                // the last heard at the back
	used  room
	names map[string]*claims
}

type bound struct {
	uid, name string
	seen      time.Time
	own       *list.Element // in names
}

// claims are what one name holds, in the same order.
type claims struct {
	order list.List // of elements of bindings.order
	used  room
}

func newBindings(all, each room) *bindings {
	return &bindings{all: all, each: each, byUID: map[string]*list.Element{}, names: map[string]*claims{}}
}

func (n *bound) size() int { return len(n.uid) + itemOverhead }

// claim says whose uid it is, when name speaks of it: its own where it binds it or has, else the holder's; "" where nobody
// holds it. Only who speaks of itself binds.
func (b *bindings) claim(uid, name string, itself bool, now time.Time) (holder string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byUID[uid]; e != nil {
		held := e.Value.(*bound)
		switch {
		case now.Sub(held.seen) >= absence:
			b.remove(e)
		case held.name != name:
			return held.name
		default:
			if itself {
				held.seen = now
				b.order.MoveToBack(e)
				b.names[name].order.MoveToBack(held.own)
			}
			return name
		}
	}
	if !itself {
		return ""
	}
	b.add(&bound{uid: strings.Clone(uid), name: name, seen: now})
	return name
}

// give has uid be a name's from now on, whosever it was.
func (b *bindings) give(uid, name string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byUID[uid]; e != nil {
		b.remove(e)
	}
	b.add(&bound{uid: strings.Clone(uid), name: name, seen: now})
}

// holder returns whose a uid is; "" where nobody holds it.
func (b *bindings) holder(uid string, now time.Time) string { return b.claim(uid, "", false, now) }

func (b *bindings) add(n *bound) {
	own := b.names[n.name]
	if own == nil {
		own = &claims{}
		b.names[n.name] = own
	}
	e := b.order.PushBack(n)
	b.byUID[n.uid] = e
	n.own = own.order.PushBack(e)
	b.used.add(n.size())
	own.used.add(n.size())
	for !own.used.within(b.each) {
		b.remove(own.order.Front().Value.(*list.Element))
	}
	for !b.used.within(b.all) {
		b.remove(b.order.Front())
	}
}

func (b *bindings) remove(e *list.Element) {
	n := b.order.Remove(e).(*bound)
	delete(b.byUID, n.uid)
	b.used.sub(n.size())
	own := b.names[n.name]
	own.order.Remove(n.own)
	own.used.sub(n.size())
	if own.order.Len() == 0 {
		delete(b.names, n.name)
	}
}

// release frees a uid, and tells whether it was held.
func (b *bindings) release(uid string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byUID[uid]
	if e != nil {
		b.remove(e)
	}
	return e != nil
}

// releaseName frees all that a name holds.
func (b *bindings) releaseName(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for own := b.names[name]; own != nil && own.order.Len() > 0; {
		b.remove(own.order.Front().Value.(*list.Element))
	}
}

func (b *bindings) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.order.Len()
}
