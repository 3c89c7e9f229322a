package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	keptFaults    = 1000 // of a file that is no roster at all, there is no more to learn from the rest
	printedFaults = 20
)

// Fault is one thing that is wrong with a roster.
type Fault struct {
	Line   int    // from 1; 0 where it is about the whole file
	Column int    // from 1, in characters as an editor counts them; 0 where the line says enough
	Name   string // whose row it is, as it stands there; may be empty
	Err    error
}

// Error names the line, the name and the reason.
func (f Fault) Error() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ", column %d", f.Column)
		}
		b.WriteString(": ")
	}
	if f.Name != "" {
		fmt.Fprintf(&b, "name %.100q: ", f.Name)
	}
	b.WriteString(f.Err.Error())
	return b.String()
}

// Faults is all that is wrong with a roster.
type Faults struct {
	List []Fault // in the order of the file, at most 1000
	More int     // how many were found besides
}

// Error names up to 20 faults, a line each, and how many there are besides.
func (f *Faults) Error() string {
	if len(f.List) == 1 && f.More == 0 {
		return "a fault in the roster: " + f.List[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d faults in the roster:", len(f.List)+f.More)
	printed := min(len(f.List), printedFaults)
	for _, fault := range f.List[:printed] {
		b.WriteString("\n  " + fault.Error())
	}
	if more := len(f.List) - printed + f.More; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

func (f *Faults) add(fault Fault) {
	if len(f.List) >= keptFaults {
		f.More++
		return
	}
	f.List = append(f.List, fault)
}

// addAll adds the faults of one row.
func (f *Faults) addAll(line int, name string, errs ...error) {
	for _, err := range errs {
		f.add(Fault{Line: line, Name: name, Err: err})
	}
}

// err is nil where there are none.
func (f *Faults) err() error {
	if len(f.List) == 0 {
		return nil
	}
	slices.SortStableFunc(f.List, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return f
}
