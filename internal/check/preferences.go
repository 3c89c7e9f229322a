package check

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// streams is the block of preferences that lists the connections.
const streams = "cot_streams"

// app stands for the three blocks that ATAK maps to the preferences of the app itself.
const app = "com.atakmap.app_preferences"

func isApp(block string) bool {
	switch block {
	case app, "com.atakmap.civ_preferences", "com.atakmap.fvey_preferences":
		return true
	}
	return false
}

// The literal classes that ATAK compares an entry's with.
const (
	stringClass  = "class java.lang.String"
	booleanClass = "class java.lang.Boolean"
	integerClass = "class java.lang.Integer"
)

const (
	maxPreferences = 2000
	maxDepth       = 32
)

// preferences are the entries of one .pref file.
type preferences struct {
	where  string
	blocks map[string]map[string]entry
	order  []named // as they stand in the file
}

type named struct{ block, key string }

type entry struct {
	class, text string
	broken      bool // the text is no single text node, or has other elements in it
	twice       bool
}

// get returns the text of an entry, without the blanks around it, and whether there is one.
func (p *preferences) get(block, key string) (string, bool) {
	e, ok := p.blocks[block][key]
	return strings.TrimSpace(e.text), ok
}

// headMarks returns what ATAK looks for at the start of a .pref file and does not find there.
func headMarks(data []byte) (missing []string) {
	const characters = 8192
	head, units := data, 0
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		// Java counts in UTF-16.
		if units++; r > 0xffff {
			units++
		}
		if units > characters {
			head = data[:at]
			break
		}
		at += size
	}
	for _, mark := range []string{"<preferences", "<entry key"} {
		if !bytes.Contains(head, []byte(mark)) {
			missing = append(missing, mark)
		}
	}
	return missing
}

// notXML turns a decoder's error into one without any of the text, which may be a password.
func notXML(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not well-formed XML (line %d)", syntax.Line)
	case errors.Is(err, io.EOF):
		return errors.New("it holds no XML")
	}
	return errors.New("it is XML in an encoding that is not read: write it in UTF-8")
}

// readPreferences reads a .pref file. The errors hold nothing of its text.
func readPreferences(data []byte) (*preferences, error) {
	p := &preferences{blocks: map[string]map[string]entry{}}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	block, depth, root := "", 0, false
	for {
		token, err := decoder.Token()
		if err == io.EOF && root {
			return p, nil
		}
		if err != nil {
			return nil, notXML(err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			root = true
			switch {
			case depth > maxDepth:
				return nil, fmt.Errorf("its elements are nested more than %d deep", maxDepth)
			case depth == 1 && t.Name.Local != "preferences":
				return nil, errors.New("its outermost element is not preferences")
			case t.Name.Local == "preference":
				block = attribute(t, "name")
			case t.Name.Local == "entry":
				if err := p.add(block, t, decoder, data); err != nil {
					return nil, err
				}
				depth--
			}
		}
	}
}

// add reads an entry up to its end. Its value is its first text node. The decoder gives a CDATA section as text; only the
// data tells them apart.
func (p *preferences) add(block string, start xml.StartElement, decoder *xml.Decoder, data []byte) error {
	if len(p.order) == maxPreferences {
		return fmt.Errorf("it has more than %d entries", maxPreferences)
	}
	if isApp(block) {
		block = app
	}
	key := attribute(start, "key")
	e := entry{class: attribute(start, "class")}
	nodes, depth := 0, 0
	for {
		raw := data[decoder.InputOffset():]
		token, err := decoder.Token()
		if err != nil {
			return notXML(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			if nodes++; nodes == 1 {
				e.text = string(t)
			}
			e.broken = e.broken || bytes.HasPrefix(raw, []byte("<![CDATA["))
		case xml.StartElement:
			nodes++
			if depth++; depth > maxDepth {
				return fmt.Errorf("its elements are nested more than %d deep", maxDepth)
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				e.broken = e.broken || nodes > 1
				p.keep(block, key, e)
				return nil
			}
		default:
			nodes++
		}
	}
}

func (p *preferences) keep(block, key string, e entry) {
	if p.blocks[block] == nil {
		p.blocks[block] = map[string]entry{}
	}
	_, e.twice = p.blocks[block][key]
	if !e.twice {
		p.order = append(p.order, named{block, key})
	}
	p.blocks[block][key] = e
}
