package endpoint

import (
	"container/list"
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
	// maxBindings bounds the memory to some tens of megabytes; of more, the one whose device was heard longest ago goes.
	maxBindings = 100_000
	// nameBindings bounds those of one name, so that nobody can push out the others'.
	nameBindings = 1000
)

// bindings remember which name, as the certificate proves it, speaks for which uid: the first one that claims it as its own
// position, until it was not heard for a day. So no device can put another one on the map somewhere else.
type bindings struct {
	mu    sync.Mutex
	byUID map[string]*list.Element // of *bound
	order list.List                // the last heard at the back
	names map[string]*list.List    // each name's own, in the same order
}

type bound struct {
	uid, name string
	seen      time.Time
	own       *list.Element // in names
}

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
				b.names[name].MoveToBack(held.own)
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

func (b *bindings) add(n *bound) {
	if b.byUID == nil {
		b.byUID, b.names = make(map[string]*list.Element), make(map[string]*list.List)
	}
	own := b.names[n.name]
	if own == nil {
		own = &list.List{}
		b.names[n.name] = own
	}
	if own.Len() >= nameBindings {
		b.remove(own.Front().Value.(*list.Element))
	} else if b.order.Len() >= maxBindings {
		b.remove(b.order.Front())
	}
	// The last of a name's own may have been it.
	b.names[n.name] = own
	e := b.order.PushBack(n)
	b.byUID[n.uid] = e
	n.own = own.PushBack(e)
}

func (b *bindings) remove(e *list.Element) {
	n := b.order.Remove(e).(*bound)
	delete(b.byUID, n.uid)
	own := b.names[n.name]
	own.Remove(n.own)
	if own.Len() == 0 {
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
	for own := b.names[name]; own != nil && own.Len() > 0; {
		b.remove(own.Front().Value.(*list.Element))
	}
}

func (b *bindings) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.order.Len()
}
