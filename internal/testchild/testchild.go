// Package testchild has a test program start itself anew as a child that does one task: what is to be killed, limited,
// confined or to act as another account needs a process of its own. Start with Main.
package testchild

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// variable holds a child's task, in JSON.
const variable = "FTSCA_TEST_CHILD"

// Main is what TestMain has to call: it runs the tests, or in a child its task, and does not return. A child whose task
// fails ends with 1, and with the error on its standard error.
func Main[Task any](m *testing.M, do func(Task) error) {
	given, child := os.LookupEnv(variable)
	if !child {
		os.Exit(m.Run())
	}
	var task Task
	err := json.Unmarshal([]byte(given), &task)
	if err == nil {
		err = do(task)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Command returns a child that is to do a task, and is not started. Its standard error is that of the test.
func Command(t testing.TB, task any) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	// The race detector would have each child sleep for a second at its end.
	c.Env = append(os.Environ(), variable+"="+string(given), "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	return c
}

// Verdict runs a child and returns what it wrote to its standard output, which has to be one Verdict in JSON.
func Verdict[Verdict any](t testing.TB, task any) (v Verdict) {
	t.Helper()
	out, err := Command(t, task).Output()
	if err != nil {
		t.Fatalf("the child: %v", err)
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatalf("the child said %q: %v", out, err)
	}
	return v
}
