package testpki

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Need returns the path of an outside program, such as openssl. Where it is not installed the test is skipped, unless
// the environment has FTSCA_INTEROP=require: then it fails.
func Need(t testing.TB, program string) string {
	t.Helper()
	if _, err := Has(program); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("needs %s, which is not installed", program)
	}
	return path
}

// Lack skips a test for want of something that is no program, such as another account, and has it counted like those.
func Lack(t testing.TB, what string) {
	t.Helper()
	if err := Count(what); err != nil {
		t.Fatal(err)
	}
	t.Skipf("needs %s", what)
}

// Has tells whether an outside program is installed. Where it is not and the environment has FTSCA_INTEROP=require,
// that is an error. It is Need for those who have no testing.TB, as the conditions of scripts.
//
// Each time it says no it appends the program's name, a line of its own, to the file that FTSCA_SKIPS names, if it
// names one: make test counts these lines at its end, so that nobody takes a skipped test for a passed one.
func Has(program string) (bool, error) {
	if _, err := exec.LookPath(program); err != nil {
		return false, lacks(program, "is not installed")
	}
	return true, nil
}

// Runs is [Has] for a program that may be installed and of no use, as strace is where nobody may trace: it has to run
// with the arguments, and to end with 0.
func Runs(program string, args ...string) (bool, error) {
	if ok, err := Has(program); !ok {
		return false, err
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		reason, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return false, lacks(program, fmt.Sprintf("does not work here (%v: %s)", err, reason))
	}
	return true, nil
}

// lacks counts a program that a test would need, or is the error that it may not be missing.
func lacks(program, why string) error {
	if os.Getenv("FTSCA_INTEROP") == "require" {
		return fmt.Errorf("needs %s, which %s, and FTSCA_INTEROP=require allows no skip", program, why)
	}
	return Count(program)
}

// Count counts what a test would need and does not have, as [Has] does. It is Lack for those who have no testing.TB.
func Count(what string) error {
	name := os.Getenv("FTSCA_SKIPS")
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("counting a skipped test: %w", err)
	}
	// One write, since several test programs append to the file at the same time.
	_, err = f.WriteString(what + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("counting a skipped test: %w", err)
	}
	return nil
}
