package templates

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

const (
	maxText     = 1 << 20 // bytes of a document; what is known of has some kilobytes
	maxDepth    = 8       // elements within one another
	maxElements = 10_000
)

// element is what a reader looks at: where it stands, and what it says.
type element struct {
	path       string // names from the root down, joined by "/"
	parent     string // the attribute "name" of what it stands in
	attributes map[string]string
	text       []byte // all of it, without that of elements within
}

// walk calls see for every element of an XML document as it ends, so that its text is known. It refuses what no document
// of this kind needs and a hostile one is made of: a DTD, depth, size, attributes that are there twice.
func walk(data []byte, see func(element) error) error {
	if len(data) > maxText {
		return fmt.Errorf("it has %d bytes: at most %d are read", len(data), maxText)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	var open []element
	count := 0
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && count == 0:
			return errors.New("it is no XML")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return damaged(err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("it has a DTD, which no package needs")
		case xml.StartElement:
			if count++; count > maxElements || len(open) == maxDepth {
				return fmt.Errorf("it has more than %d elements, or more than %d within one another", maxElements, maxDepth)
			}
			e, err := start(t, open)
			if err != nil {
				return err
			}
			open = append(open, e)
		case xml.CharData:
			if n := len(open); n > 0 {
				open[n-1].text = append(open[n-1].text, t...)
			}
		case xml.EndElement:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if err := see(last); err != nil {
				return err
			}
		}
	}
}

func start(t xml.StartElement, open []element) (element, error) {
	e := element{path: t.Name.Local, attributes: map[string]string{}}
	if n := len(open); n > 0 {
		e.path, e.parent = open[n-1].path+"/"+e.path, open[n-1].attributes["name"]
	}
	for _, a := range t.Attr {
		if _, ok := e.attributes[a.Name.Local]; ok {
			return e, fmt.Errorf("the attribute %.100q of an element is there twice", a.Name.Local)
		}
		e.attributes[a.Name.Local] = a.Value
	}
	return e, nil
}

// damaged passes on the line alone: the parser's own words could repeat a piece of a password.
func damaged(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is damaged in line %d", syntax.Line)
	}
	return errors.New("it is not in UTF-8")
}
