package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// tracing is how strace is asked for every system call about sockets, and for nothing else. The filter in the kernel
// spares it the stops at all others.
var tracing = []string{"-f", "--seccomp-bpf", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o"}

// traced is a call in a trace. A thread that its process ended as it entered a call, which so was never made, is "???(".
var traced = regexp.MustCompile(`(?m)^\d+ +\w+\(.*$`)

// cmdOffline runs ftsca under strace: it must succeed without a single system call about sockets, be they this machine's
// own: offline ARGUMENT... With !, it must make one, whatever becomes of it.
//
// What runs is the program as it is built for people. With cgo, as in the tests' own, the C library asks a socket for the
// account's name.
func cmdOffline(ts *testscript.TestScript, neg bool, args []string) {
	program := ts.MkAbs(".program")
	if !isFile(program) {
		ts.Check(buildStatic(program))
	}
	trace := ts.MkAbs(".trace")
	ran := ts.Exec("strace", append(append(tracing[:len(tracing):len(tracing)], trace, program), args...)...)
	text, err := os.ReadFile(trace)
	ts.Check(errors.Join(err, os.Remove(trace)))
	calls := traced.FindAllString(string(text), -1)
	switch {
	case neg && len(calls) == 0:
		ts.Fatalf("ftsca %s opened no socket", strings.Join(args, " "))
	case neg:
	case len(calls) > 0:
		ts.Fatalf("ftsca %s opened a socket:\n%s", strings.Join(args, " "), strings.Join(calls, "\n"))
	default:
		ts.Check(ran)
	}
}

// buildStatic builds ftsca as it is built for people.
func buildStatic(program string) error {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building ftsca: %w\n%s", err, out)
	}
	return nil
}
