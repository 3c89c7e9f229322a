package durable_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
)

func TestReplaceWaitsForOneWhoHasOpenedAWholeFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "{}")
	// A script has opened the file, and neither emptied it nor written.
	script, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !durable.BeingWritten(name) {
		t.Skip("the file system gives no leases")
	}
	done := make(chan struct{})
	a := durable.Act{At: func(m string) error {
		if m == "settled" {
			go func() {
				defer close(done)
				defer script.Close()
				time.Sleep(10 * time.Millisecond)
				if _, err := script.WriteString(`{"theirs":1}`); err != nil {
					t.Error(err)
				}
			}()
		}
		return nil
	}}
	displaced, err := a.Replace(name, []byte("{ours}"), 0o644, func([]byte) bool { return true })
	if err != nil || string(displaced) != `{"theirs":1}` {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	<-done
	mustHold(t, name, "{ours}")
	mustHaveOnly(t, dir, "list.json")
	if durable.BeingWritten(name) {
		t.Error("the new file counts as being written")
	}
}
