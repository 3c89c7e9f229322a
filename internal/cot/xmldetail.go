package cot

import (
	"bytes"
	"slices"
)

// maxOuter is how many prefixes event and detail may declare for their details: each is looked for in all of them, so
// that an event with thousands would cost more than it may. Real ones have one or two.
const maxOuter = 16

// wholeElement is an element of the details, with a bit for each outer prefix that it declares itself.
type wholeElement struct {
	tag, end int // where the name in its start tag ends, and the element itself
	start    int
	declares uint16
}

// declared keeps the prefixes that the start tag just read declares, which is that of event or of detail.
func (c *converter) declared() error {
	for _, a := range c.s.attributes {
		if a.name.colon < 0 || string(c.s.b[a.name.start:a.name.colon]) != "xmlns" {
			continue
		}
		if string(c.s.local(a.name)) == "uid" {
			// Anew in a link, the declaration would be refused.
			return unsayable("event or detail declares a namespace prefix that is called uid")
		}
		same := func(o attribute) bool { return bytes.Equal(c.bytes(a.name), c.bytes(o.name)) }
		if i := slices.IndexFunc(c.outer, same); i >= 0 {
			c.outer[i] = a
		} else if len(c.outer) <= maxOuter {
			c.outer = append(c.outer, a)
		}
	}
	return nil
}

func (c *converter) bytes(n name) []byte { return c.s.b[n.start:n.end] }

// readDetail reads the details, whose start tag has just been read.
func (c *converter) readDetail(empty bool) error {
	if err := c.declared(); err != nil {
		return err
	}
	if len(c.outer) > maxOuter {
		return unsayable("event and detail declare more than 16 namespace prefixes")
	}
	if empty {
		return nil
	}
	s := c.s
	from := s.i
	for {
		next, found := s.child()
		c.ended(found, next.at)
		if !found {
			break
		}
		c.begun(next)
		if next.kind == typedDetails {
			continue
		}
		c.seen[next.kind]++
		if next.name.colon >= 0 || !c.readTyped(next.kind) {
			continue
		}
		if !next.empty {
			if !hasPrefix(s.b[s.i:], "</") {
				continue
			}
			if !s.markup() {
				return s.refused
			}
		}
		c.typed = append(c.typed, typedElement{next.kind, next.at, s.i})
	}
	if s.refused != nil {
		return s.refused
	}
	c.write(from, s.i)
	return nil
}

// begun notes an element of the details, where there may be something to declare in it.
func (c *converter) begun(next child) {
	if len(c.outer) == 0 {
		return
	}
	w := wholeElement{start: next.at, tag: next.name.end}
	for _, a := range c.s.attributes {
		for i, o := range c.outer {
			if bytes.Equal(c.bytes(a.name), c.bytes(o.name)) {
				w.declares |= 1 << i
			}
		}
	}
	c.whole = append(c.whole, w)
}

// ended notes that the last element has ended before the next, or the end of the details.
func (c *converter) ended(found bool, at int) {
	if len(c.whole) == 0 {
		return
	}
	if !found {
		at = c.s.i
	}
	c.whole[len(c.whole)-1].end = at
}

// write makes xmlDetail of what stands between two offsets, less what messages stand for, which it joins to the detail.
func (c *converter) write(from, to int) {
	start := len(c.text)
	c.strings = append(c.strings, pendingString{&c.detail.XmlDetail, start})
	for _, t := range c.typed {
		if c.seen[t.kind] > 1 {
			continue // readers take an element in xmlDetail for the only one of its name
		}
		c.copy(from, t.start)
		from = t.start
		if len(c.text) > start && fuses(c.text[len(c.text)-1], c.s.b[t.end]) {
			continue
		}
		from = t.end
		switch t.kind {
		case contactDetail:
			c.detail.Contact = &c.contact
		case groupDetail:
			c.detail.Group = &c.group
		case precisionLocationDetail:
			c.detail.PrecisionLocation = &c.precisionLocation
		case statusDetail:
			c.detail.Status = &c.status
		case takvDetail:
			c.detail.Takv = &c.takv
		case trackDetail:
			c.detail.Track = &c.track
		}
	}
	c.copy(from, to)
}

// copy appends what stands between two offsets, with the outer prefixes declared in the elements that may use them.
func (c *converter) copy(from, to int) {
	b := c.s.b
	for _, w := range c.whole {
		if w.start < from || w.start >= to {
			continue
		}
		if len(c.text) > 2*MaxEvent {
			return // too long whatever follows, and a hostile event could go on for long
		}
		for i, o := range c.outer {
			if w.declares&(1<<i) != 0 || !c.uses(w, o) {
				continue
			}
			c.text = append(c.text, b[from:w.tag]...)
			from = w.tag
			c.text = append(c.text, ' ')
			c.text = append(c.text, b[o.name.start:o.end+1]...)
		}
	}
	c.text = append(c.text, b[from:to]...)
}

// uses tells whether an element may use a prefix: its letters and a colon stand in it somewhere.
func (c *converter) uses(w wholeElement, o attribute) bool {
	prefix := c.s.b[o.name.colon+1 : o.name.end]
	for rest := c.s.b[w.start:w.end]; ; {
		i := bytes.Index(rest, prefix)
		if i < 0 {
			return false
		}
		rest = rest[i+len(prefix):]
		if len(rest) > 0 && rest[0] == ':' {
			return true
		}
	}
}
