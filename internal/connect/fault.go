package connect

import "fmt"

// fault is an error of the network in words of ours.
type fault struct {
	text string
	err  error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.err }

func wrap(err error, text string) error { return &fault{text, err} }

func wrapf(err error, format string, args ...any) error {
	return &fault{fmt.Sprintf(format, args...), err}
}
