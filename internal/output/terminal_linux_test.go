package output_test

import (
	"os"
	"testing"

	"github.com/creack/pty"

	"github.com/ftsca/ftsca/internal/output"
)

func TestTerminalAndItsWidthAreRecognised(t *testing.T) {
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	defer tty.Close()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	if !output.IsTerminal(tty) || output.IsTerminal(file) || output.IsTerminal(nil) {
		t.Error("only the terminal is a terminal")
	}
	if got := output.Width(file); got != 0 {
		t.Errorf("a file is %d columns wide, want 0", got)
	}
	if got := output.Width(tty); got != 80 {
		t.Errorf("a terminal of unknown size is %d columns wide, want 80", got)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 24, Cols: 132}); err != nil {
		t.Fatal(err)
	}
	if got := output.Width(tty); got != 132 {
		t.Errorf("the terminal is %d columns wide, want 132", got)
	}
}
