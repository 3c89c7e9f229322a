package output_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/ftsca/ftsca/internal/output"
)

// frames are the states of a line that is written over and over.
func frames(s string) []string { return strings.Split(strings.TrimPrefix(s, "\r"), "\r") }

// work takes ten seconds for ten groups of fifty.
func work(t *testing.T, width, groups int) []string {
	var buf bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		p := output.NewProgress(&buf, width, 500, "issuing\n")
		var lanes sync.WaitGroup
		for lane := range 2 {
			lanes.Go(func() {
				for i := lane; i < groups; i += 2 {
					time.Sleep(2 * time.Second)
					p.Add(50)
				}
			})
		}
		lanes.Wait()
		p.End()
		p.End()
	})
	return frames(buf.String())
}

func TestProgressMovesAlongOneLine(t *testing.T) {
	shown := work(t, 61, 10)
	if got, want := shown[0], `issuing\n  0 of 500  [                                   ]  `; got != want {
		t.Errorf("it begins with\n%q, want\n%q", got, want)
	}
	if got, want := shown[len(shown)-1], `issuing\n  500 of 500  [==============================]  10s`+"\n"; got != want {
		t.Errorf("it ends with\n%q, want\n%q", got, want)
	}
	if half := `issuing\n  200 of 500  [==========>               ]  6s left`; !strings.Contains(strings.Join(shown, "\r"), half) {
		t.Errorf("it never shows\n%q in\n%q", half, shown)
	}
	if line := strings.Join(shown, ""); strings.Count(line, "\n") != 1 || strings.Contains(line, "\x1b") {
		t.Errorf("it is not one plain line: %q", line)
	}
}

func TestProgressSaysHowMuchTimeIsLeft(t *testing.T) {
	left := map[string]bool{}
	for _, frame := range work(t, 80, 10) {
		if _, time, ok := strings.Cut(strings.TrimSpace(frame), "]  "); ok {
			left[time] = true
		}
	}
	for _, want := range []string{"8s left", "6s left", "4s left", "2s left", "10s"} {
		if !left[want] {
			t.Errorf("%q is never shown, of %v", want, left)
		}
	}
}

func TestProgressThatEndsEarlyShowsHowFarItCame(t *testing.T) {
	shown := work(t, 61, 4)
	if got, want := shown[len(shown)-1], `issuing\n  200 of 500  [============>                  ]  4s`+"\n"; got != want {
		t.Errorf("it ends with\n%q, want\n%q", got, want)
	}
}

func TestProgressIsNeverAsWideAsTheTerminal(t *testing.T) {
	for width := 2; width < 120; width += 3 {
		for _, frame := range work(t, width, 10) {
			if got := twwidth.Width(strings.TrimSuffix(frame, "\n")); got >= width {
				t.Fatalf("width %d: %d columns in %q", width, got, frame)
			}
		}
	}
}

func TestProgressIsSilentWhereNobodyWatches(t *testing.T) {
	if got := work(t, 0, 10); got[0] != "" || len(got) > 1 {
		t.Errorf("it wrote %q", got)
	}
	var buf bytes.Buffer
	p := output.NewProgress(&buf, 80, 0, "issuing")
	p.Add(1)
	p.End()
	if buf.Len() > 0 {
		t.Errorf("of no work it wrote %q", buf.String())
	}
}

func TestProgressOutlivesItsTerminal(*testing.T) {
	p := output.NewProgress(fullDisk{}, 80, 2, "issuing")
	p.Add(1)
	p.End()
}
