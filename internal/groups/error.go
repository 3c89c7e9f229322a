package groups

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"
)

// A SyntaxError says why groups.yaml cannot be used, and where.
type SyntaxError struct {
	Line   int    // from 1
	Column int    // from 1, in characters as an editor counts them; a byte order mark is none
	Msg    string // what is wrong, lower case, without a full stop
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// at says what is wrong with a node.
func at(n *yaml.Node, format string, args ...any) error {
	return &SyntaxError{Line: n.Line, Column: n.Column, Msg: fmt.Sprintf(format, args...)}
}

// unreadable puts an error of the library's into our form.
func unreadable(text []byte, err error) error {
	var fault *yaml.LoadError
	if !errors.As(err, &fault) || fault.Mark.Line == 0 {
		return &SyntaxError{Line: 1, Column: 1, Msg: err.Error()}
	}
	msg := fault.Message
	if newCursor(text).reads(fault.Mark.Line, fault.Mark.Column, "\t") {
		msg = "a tab, where YAML is indented with spaces"
	} else if c := fault.ContextMark; c.Line > 0 && c.Line < fault.Mark.Line {
		msg += fmt.Sprintf(", for what begins in line %d, column %d", c.Line, c.Column)
	}
	return &SyntaxError{Line: fault.Mark.Line, Column: fault.Mark.Column, Msg: msg}
}
