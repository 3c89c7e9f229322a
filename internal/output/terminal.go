package output

import (
	"os"

	"golang.org/x/term"
)

// unknownWidth is used for a terminal that does not tell its size, as serial consoles do.
const unknownWidth = 80

// IsTerminal says whether f is a terminal. It is false for a nil file.
func IsTerminal(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// Width is the number of columns of the terminal f: 80 where the terminal does not tell, and 0 where f is no terminal,
// which Table understands as "a program reads this".
func Width(f *os.File) int {
	if !IsTerminal(f) {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		return unknownWidth
	}
	return columns
}
