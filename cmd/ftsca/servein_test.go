package main_test

import (
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdServeIn is serve in a shell that has run a command before: servein COMMAND [FLAG...]. So a script sets what a process
// inherits.
func cmdServeIn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: servein COMMAND [FLAG...]")
	}
	first := args[0] + ` && exec "$0" "$@"`
	start(ts, neg, exec.Command("sh", append([]string{"-c", first, program(ts)}, serving(args[1:])...)...))
}
