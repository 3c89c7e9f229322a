package groups

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/ftsca/ftsca/csr"
)

// MaxSize is how long groups.yaml may be, in bytes: room for seventy thousand names.
const MaxSize = 1 << 20

// Parse reads groups.yaml, a mapping of groups to lists of names, and returns the groups of each name that stands in it,
// sorted, each once. A file in which nothing stands has no names. Its error is a *[SyntaxError].
//
// The names of groups are those that [csr.VetGroup] lets into a certificate. A name is the common name of a certificate,
// and any text that is not empty: what is written is taken letter by letter, so that 007 and yes are names. Both are
// in Unicode normal form C, as all that this authority issues is. A group that stands there twice is an error, since the
// first list would be lost on whoever reads the second; a name that its group has twice is in it once.
func Parse(data []byte) (map[string][]string, error) {
	text, err := plain(data)
	if err != nil {
		return nil, err
	}
	root, err := document(text)
	if err != nil {
		return nil, err
	}
	r := reader{cursor: newCursor(text), groups: map[string][]string{}}
	if err := r.file(root); err != nil {
		return nil, err
	}
	for name, groups := range r.groups {
		slices.Sort(groups)
		r.groups[name] = slices.Compact(groups)
	}
	return r.groups, nil
}

// document returns what the file's only document holds, or nil where it has none.
func document(text []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, unreadable(text, err)
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, unreadable(text, err)
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, unreadable(text, err)
	}
	return nil, at(&second, "a second document: want one, in which every group stands")
}

// reader gathers what a document says.
type reader struct {
	cursor *cursor
	groups map[string][]string // by name
}

func (r *reader) file(root *yaml.Node) error {
	switch {
	case root == nil || isNothing(root):
		return nil
	case strange(root) != nil:
		return strange(root)
	case root.Kind != yaml.MappingNode:
		return at(root, "want groups, each with a list of names, as in blue: [alice, bob]")
	}
	lines := map[string]int{} // where each group stands
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, names := root.Content[i], root.Content[i+1]
		group, err := r.text(key, "the name of a group")
		if err != nil {
			return err
		}
		if group, err = csr.VetGroup(group); err != nil {
			return at(key, "%v", err)
		}
		if line, twice := lines[group]; twice {
			return at(key, "the group %q stands in line %d already", group, line)
		}
		lines[group] = key.Line
		if err := r.list(group, names); err != nil {
			return err
		}
	}
	return nil
}

// list takes in the names of a group. A group whose last name was taken out, and the list with it, has none.
func (r *reader) list(group string, names *yaml.Node) error {
	switch {
	case isNothing(names):
		return nil
	case strange(names) != nil:
		return strange(names)
	case names.Kind != yaml.SequenceNode:
		return at(names, "want a list of the names in group %q, as in %s: [alice, bob]", group, group)
	}
	for _, item := range names.Content {
		name, err := r.text(item, "a name")
		if err != nil {
			return err
		}
		name = norm.NFC.String(name)
		r.groups[name] = append(r.groups[name], group)
	}
	return nil
}

// text is what a person wrote as a name.
func (r *reader) text(n *yaml.Node, what string) (string, error) {
	switch {
	case strange(n) != nil:
		return "", strange(n)
	case n.Kind != yaml.ScalarNode:
		return "", at(n, "want %s, and not a list or a mapping", what)
	case isNothing(n) && n.Value != "":
		return "", at(n, "%s is nothing in YAML: in quotes it is %s", n.Value, what)
	case strings.TrimSpace(n.Value) == "":
		return "", at(n, "%s is empty", what)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return "", at(n, "%s stands in one line, without | or >", what)
	// Two names, of which the second lacks its dash or the first its comma, would be read as one that nobody has.
	case isPlain(n) && !r.cursor.reads(n.Line, n.Column, n.Value):
		return "", at(n, "%s that goes on in the next line: there a - or a comma is missing", what)
	}
	return n.Value, nil
}

// strange says what of YAML has no place in this file.
func strange(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return at(n, "the alias *%s: write out what it stands for", n.Value)
	case n.Anchor != "":
		return at(n, "the anchor &%s: write out what is meant where it is meant", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0 || n.Tag == "!":
		return at(n, "the tag %s: leave it out", n.Tag)
	case n.Tag == "!!merge":
		return at(n, "the merge key <<: write out what it stands for; in quotes it is a name")
	}
	return nil
}

// isNothing tells whether nothing stands there, or one of YAML's words for that.
func isNothing(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && isPlain(n) && n.Anchor == ""
}

// isPlain tells whether a text stands there without quotes.
func isPlain(n *yaml.Node) bool {
	const marked = yaml.TaggedStyle | yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Style&marked == 0
}
