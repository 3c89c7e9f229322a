package endpoint_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// A gathering is people who are connected to an endpoint in a bubble.
type gathering struct {
	t       *testing.T
	w       *world
	connect func(string, ...testpki.Option) *client
	all     []*person
}

// inNet runs f with an empty net.
func inNet(t *testing.T, c endpoint.Config, f func(n *gathering)) {
	t.Helper()
	bubbleWith(t, c, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		f(&gathering{t: t, w: w, connect: connect})
	})
}

// A person is a client that keeps what it hears: the uid of each event, and what t-x-d-d says is gone as "-uid".
type person struct {
	*client
	net    *gathering
	name   string
	groups []string
	framed bool

	mu    sync.Mutex
	heard []cot.Event
	ended bool
}

// enter connects a device, which has its name for uid, and that in capitals for callsign. It says nothing yet.
func (n *gathering) enter(name string, framed bool, groups ...string) *person {
	n.t.Helper()
	units := []string{"Ordinary Unit"}
	for _, g := range groups {
		units = append(units, "group:"+g)
	}
	p := &person{client: n.connect(name, testpki.Units(units...)), net: n, name: name, groups: groups, framed: framed}
	if framed {
		f := n.w.goOver(p.client)
		for _, before := range f.before {
			p.note(n.read(before))
		}
		go p.listen(func() (cot.Event, error) {
			m, err := f.hear()
			return m.Event, err
		})
	} else {
		go p.listen(func() (cot.Event, error) {
			text, err := p.read()
			if err != nil {
				return cot.Event{}, err
			}
			return n.read(text), nil
		})
	}
	n.all = append(n.all, p)
	return p
}

func (n *gathering) read(text string) cot.Event {
	e, err := cot.Parse([]byte(text))
	if err != nil {
		n.t.Errorf("%v: %s", err, text)
	}
	return e
}

func (p *person) listen(next func() (cot.Event, error)) {
	for {
		e, err := next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue // nothing was said for a while
		}
		if err != nil {
			p.mu.Lock()
			p.ended = true
			p.mu.Unlock()
			return
		}
		p.note(e)
	}
}

func (p *person) note(e cot.Event) {
	if e.IsControl() {
		return
	}
	if e.Marti || len(e.Dests) > 0 {
		p.net.t.Errorf("%s hears for whom %s was", p.name, e.UID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, e)
}

// take returns what p has heard since the last time.
func (p *person) take() (heard []string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.heard {
		if e.IsDelete() {
			heard = append(heard, "-"+e.Link)
		} else {
			heard = append(heard, e.UID)
		}
	}
	p.heard = nil
	return heard
}

// hears fails where p has not heard just this, in any order.
func (p *person) hears(want ...string) {
	p.net.t.Helper()
	got := p.take()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.net.t.Errorf("%s heard %q, want %q", p.name, got, want)
	}
}

func (p *person) gone() bool {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// says sends events, in p's encoding.
func (p *person) says(events ...string) {
	p.net.t.Helper()
	for _, e := range events {
		if p.framed {
			e = frameOf(p.net.t, e)
		}
		p.send(e)
	}
	time.Sleep(longerThanAHold)
}

// longerThanAHold is how long a test waits after what somebody says, for the next to be heard at once.
const longerThanAHold = 200 * time.Millisecond

// settle forgets what everybody has heard up to now.
func (n *gathering) settle() {
	time.Sleep(longerThanAHold)
	for _, p := range n.all {
		p.take()
	}
}

// appears says where p is, and in which team.
func (p *person) appears(team string) {
	p.says(strings.Replace(position(p.name, 1), "</detail>", `<__group name="`+team+`" role="Team Member"/></detail>`, 1))
}

// noted is an event of a type, which goes stale after a while and has these details.
func noted(uid, kind string, life time.Duration, details string) string {
	return fmt.Sprintf(`<event version="2.0" uid="%s" type="%s" how="h-g-i-g-o" time="2000-01-01T00:00:00Z" start="2000-01-01T00:00:00Z" stale="%s">`+
		`<point lat="0" lon="0" hae="0" ce="0" le="0"/><detail>%s</detail></event>`, uid, kind, time.Now().Add(life).UTC().Format(time.RFC3339), details)
}

// remark is an event that nobody keeps.
func remark(uid, details string) string { return noted(uid, "b-t-f", time.Hour, details) }

// talk is a GeoChat message to a room; others are the uids of whom it is for.
func talk(uid, room, id, parent string, others ...string) string {
	members := ""
	for i, o := range others {
		members += fmt.Sprintf(` uid%d="%s"`, i+1, o)
	}
	return remark(uid, fmt.Sprintf(`<__chat parent="%s" chatroom="%s" id="%s" senderCallsign="X"><chatgrp uid0="sender"%s id="%s"/></__chat>`,
		parent, room, id, members, id))
}

func callsignOf(name string) string { return strings.ToUpper(name) }
