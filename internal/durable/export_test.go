package durable

import "io/fs"

// Act is an operation that calls At between its steps, and ends with the error that At returns.
type Act struct{ At func(moment string) error }

// Moments are those at which At is called, in their order.
var Moments = []string{string(made), string(half), string(written), string(synced), string(placed), string(settled)}

func (a Act) act() act { return act{at: func(m moment) error { return a.At(string(m)) }} }

func (a Act) WriteFile(name string, data []byte, mode fs.FileMode) error {
	return a.act().writeFile(name, data, mode)
}

func (a Act) Create(name string, data []byte, mode fs.FileMode) error {
	return a.act().create(name, data, mode)
}

func (a Act) Replace(name string, data []byte, mode fs.FileMode, whole func([]byte) bool) ([]byte, error) {
	return a.act().replace(name, data, mode, whole)
}

func (a Act) Append(name string, line []byte, mode fs.FileMode) error {
	return a.act().append(name, line, mode)
}

func (a Act) Stage(files []File) error { return a.act().stageAll(files) }

func (a Act) WriteFiles(files []File) error { return a.act().writeFiles(files) }

func (a Act) RenameAll(moves []Move) error { return a.act().renameAll(moves) }

func (a Act) RemoveAll(names []string) error { return a.act().removeAll(names) }

// OpenAtOnce is how many files Stage has open.
const OpenAtOnce = openAtOnce

// Displace is Replace with other ways to exchange two files and to give one a second name.
func Displace(name string, data []byte, swap, link func(one, other string) error) ([]byte, error) {
	return act{}.displace(name, data, 0o644, nil, means{swap: swap, link: link})
}

// IsTemporary tells whether Sweep takes a name for one of ours.
func IsTemporary(base string) bool { return isTemporary(base) }
