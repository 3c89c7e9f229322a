package prompt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// childVar makes the test binary play the asking process: only a process of its own can have a controlling terminal
// and be killed by it.
const childVar = "FTSCA_PROMPT_CHILD"

// silentVar tells the child that its terminal answers no cursor query.
const silentVar = "FTSCA_PROMPT_SILENT"

func TestMain(m *testing.M) {
	if name := os.Getenv(childVar); name != "" {
		os.Exit(child(name))
	}
	os.Exit(m.Run())
}

// child asks, and prints each answer on standard output, which is a pipe to the test.
func child(name string) int {
	t, err := prompt.Open()
	if err == nil {
		if os.Getenv(silentVar) != "" {
			t.SetReportWait(500 * time.Millisecond)
		}
		err = childAsks(name, t)
	}
	if err != nil {
		fmt.Println("error:", err, "cancelled:", errors.Is(err, prompt.ErrCancelled))
	}
	return 0
}

func childAsks(name string, t *prompt.Terminal) error {
	passphrase := prompt.Question{Text: "CA passphrase", Flag: "--ca-passphrase-file"}
	switch name {
	case "text":
		return show(t.Text(prompt.Question{Text: "Name of the CA", Flag: "--name"}))
	case "text with default":
		return show(t.Text(prompt.Question{Text: "Host", Default: "fts.example.org"}))
	case "confirm":
		return show(t.Confirm(prompt.Question{Text: "Go on"}))
	case "confirm with default":
		return show(t.Confirm(prompt.Question{Text: "Go on", Default: "yes", Flag: "--yes"}))
	case "hostile":
		return show(t.Confirm(prompt.Question{Text: "Sign for a\x1b[2J\nb"}))
	case "secret":
		return reveal(t.Secret(passphrase))
	case "new secret":
		return reveal(t.NewSecret(passphrase, func(s secret.Secret) error {
			if len(s.Reveal()) < 4 {
				return errors.New("shorter than 4 characters")
			}
			return nil
		}))
	case "one after the other":
		return errors.Join(childAsks("text", t), childAsks("secret", t), childAsks("confirm", t))
	case "cancelled twice":
		return errors.Join(childAsks("secret", t), childAsks("text", t))
	}
	panic("no child " + name)
}

func show[T any](answer T, err error) error {
	if err == nil {
		fmt.Printf("answer: %v\n", answer)
	}
	return err
}

func reveal(s secret.Secret, err error) error {
	return show(s.Reveal(), err)
}

// console plays the person and the terminal in front of it.
type console struct {
	t      *testing.T
	ptmx   *os.File
	tty    *os.File
	cmd    *exec.Cmd
	out    bytes.Buffer
	before *term.State

	mu     sync.Mutex
	screen []byte // all that was shown
	seen   int    // how far expect has come
	moved  *sync.Cond
	closed bool
}

// start runs a child on a new terminal, which answers cursor queries if it answers at all.
func start(t *testing.T, name, termName string, answering bool) *console {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	c := &console{t: t, ptmx: pollable(t, ptmx), tty: tty}
	c.moved = sync.NewCond(&c.mu)
	t.Cleanup(func() { c.ptmx.Close(); tty.Close() })
	if c.before, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	go c.play(answering)

	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childVar+"="+name, "TERM="+termName, "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	if !answering {
		c.cmd.Env = append(c.cmd.Env, silentVar+"=yes")
	}
	c.cmd.Stdout = &c.out
	c.cmd.Stderr = os.Stderr
	c.cmd.ExtraFiles = []*os.File{tty}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	t.Cleanup(func() { deadline.Stop() })
	return c
}

// pollable gives a file whose Close ends a Read that waits: until then the terminal would not hang up.
func pollable(t *testing.T, f *os.File) *os.File {
	t.Helper()
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// play shows what the child writes, and tells it where the cursor is when asked.
func (c *console) play(answering bool) {
	buf := make([]byte, 4096)
	for {
		n, err := c.ptmx.Read(buf)
		c.mu.Lock()
		c.screen = append(c.screen, buf[:n]...)
		c.closed = err != nil
		c.moved.Broadcast()
		c.mu.Unlock()
		if err != nil {
			return
		}
		if answering {
			for range bytes.Count(buf[:n], []byte("\x1b[6n")) {
				_, _ = c.ptmx.WriteString("\x1b[1;1R")
			}
		}
	}
}

// expect waits until text is shown after what was expected before.
func (c *console) expect(text string) {
	c.t.Helper()
	limit := time.AfterFunc(15*time.Second, func() {
		c.mu.Lock()
		c.closed = true
		c.moved.Broadcast()
		c.mu.Unlock()
	})
	defer limit.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if i := bytes.Index(c.screen[c.seen:], []byte(text)); i >= 0 {
			c.seen += i + len(text)
			return
		}
		if c.closed {
			c.t.Fatalf("%q is not shown, but %q", text, c.screen[c.seen:])
		}
		c.moved.Wait()
	}
}

func (c *console) typeIn(keys string) {
	c.t.Helper()
	if _, err := c.ptmx.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the child, checks that the terminal is as it was, and returns what the child printed.
func (c *console) end() string {
	c.t.Helper()
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the asking process ended with %v; it showed %q", err, c.shown())
	}
	after, err := term.GetState(int(c.tty.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, c.before) {
		c.t.Errorf("the terminal is left changed: %+v, before %+v", after, c.before)
	}
	return c.out.String()
}

func (c *console) shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.screen)
}

// step is one exchange: what is shown, then what is typed.
type step struct{ shown, typed string }

func TestQuestionsOnATerminal(t *testing.T) {
	const cancelled = "error: cancelled cancelled: true\n"
	tests := []struct {
		name  string
		child string
		steps []step
		want  string
	}{
		{"Text", "text", []step{{"Name of the CA:", " Valley Rescue CA \r"}}, "answer: Valley Rescue CA\n"},
		{"TextInAnyScript", "text", []step{{"Name of the CA:", "山田 太郎\r"}}, "answer: 山田 太郎\n"},
		{"TextWithEditing", "text", []step{{"Name of the CA:", "ab\x7fc\x1bx\x1b[Dd\r"}}, "answer: adc\n"},
		{"EmptyText", "text", []step{{"Name of the CA:", "\r"}}, "answer: \n"},
		{"TextTakesTheDefault", "text with default", []step{{"(fts.example.org)", "\r"}}, "answer: fts.example.org\n"},
		{"TextOverridesTheDefault", "text with default", []step{{"Host:", "10.0.0.5\r"}}, "answer: 10.0.0.5\n"},
		{"TextCancelledByCtrlC", "text", []step{{"Name of the CA:", "abc\x03"}}, cancelled},
		{"TextCancelledByCtrlD", "text", []step{{"Name of the CA:", "\x04"}}, cancelled},
		{"ConfirmYes", "confirm", []step{{"Go on? (y/N)", "y\r"}}, "answer: true\n"},
		{"ConfirmNoByDefault", "confirm", []step{{"Go on? (y/N)", "\r"}}, "answer: false\n"},
		{"ConfirmYesByDefault", "confirm with default", []step{{"Go on? (Y/n)", "\r"}}, "answer: true\n"},
		{"ConfirmAsksAgain", "confirm", []step{{"(y/N)", "perhaps\r"}, {"(y/N)", "yes\r"}}, "answer: true\n"},
		{"ConfirmCancelledByCtrlDIsNotTheDefault", "confirm with default", []step{{"(Y/n)", "\x04"}}, cancelled},
		{"HostileTextIsShownWrittenOut", "hostile", []step{{`Sign for a\x1b[2J\nb? (y/N)`, "n\r"}}, "answer: false\n"},
		{"Secret", "secret", []step{{"CA passphrase: ", "correct horse\r"}}, "answer: correct horse\n"},
		{"SecretWithEditing", "secret", []step{{"CA passphrase: ", "abx\x7fcä\r"}}, "answer: abcä\n"},
		{"EmptySecretIsAskedAgain", "secret", []step{{"CA passphrase: ", "\r"}, {"CA passphrase: ", "x\r"}}, "answer: x\n"},
		{"NoSecretInThreeAttempts", "secret",
			[]step{{"CA passphrase: ", "\r"}, {"CA passphrase: ", "\r"}, {"CA passphrase: ", "\r"}},
			"error: no answer to \"CA passphrase\": give --ca-passphrase-file cancelled: false\n"},
		{"OverlongSecret", "secret", []step{{"CA passphrase: ", strings.Repeat("a", 5000) + "\r"}},
			"error: longer than 4095 characters cancelled: false\n"},
		{"SecretCancelledByCtrlC", "secret", []step{{"CA passphrase: ", "abc\x03"}}, cancelled},
		{"SecretCancelledByCtrlD", "secret", []step{{"CA passphrase: ", "\x04"}}, cancelled},
		{"NothingIsAskedAfterACancel", "cancelled twice", []step{{"CA passphrase: ", "\x03"}},
			"error: cancelled\ncancelled cancelled: true\n"},
		{"NewSecretIsAskedTwice", "new secret",
			[]step{{"CA passphrase: ", "correct\r"}, {"CA passphrase again: ", "correct\r"}}, "answer: correct\n"},
		{"PastedTwice", "new secret", []step{{"CA passphrase: ", "correct\rcorrect\r"}}, "answer: correct\n"},
		{"NewSecretsThatDifferAreAskedAgain", "new secret",
			[]step{{": ", "correct\r"}, {"again: ", "correkt\r"}, {"the two answers differ.", ""},
				{": ", "horse\r"}, {"again: ", "horse\r"}}, "answer: horse\n"},
		{"ObjectionIsToldBeforeTheSecondTime", "new secret",
			[]step{{"CA passphrase: ", "abc\r"}, {"shorter than 4 characters.", ""},
				{"CA passphrase: ", "\r"}, {"nothing was typed.", ""}, {"CA passphrase: ", "abc\r"}},
			"error: asking \"CA passphrase\" 3 times: shorter than 4 characters cancelled: false\n"},
		{"NewSecretCancelledTheSecondTime", "new secret",
			[]step{{"CA passphrase: ", "correct\r"}, {"again: ", "\x03"}}, cancelled},
		{"AllTypedAhead", "one after the other",
			[]step{{"Name of the CA:", "CA\rpass\ry\r"}}, "answer: CA\nanswer: pass\nanswer: true\n"},
		{"OneAfterTheOther", "one after the other",
			[]step{{"Name of the CA:", "CA\r"}, {"CA passphrase: ", "pass\r"}, {"Go on?", "y\r"}},
			"answer: CA\nanswer: pass\nanswer: true\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, tt.child, "xterm", true)
			for _, s := range tt.steps {
				c.expect(s.shown)
				c.typeIn(s.typed)
			}
			if got := c.end(); got != tt.want {
				t.Errorf("printed %q, want %q; shown was %q", got, tt.want, c.shown())
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	c := start(t, "new secret", "xterm", true)
	c.expect("CA passphrase: ")
	c.typeIn("correct horse\r")
	c.expect("again: ")
	c.typeIn("correct horse\r")
	c.end()
	if strings.Contains(c.shown(), "horse") {
		t.Errorf("the terminal shows %q", c.shown())
	}
}

func TestSignalDuringAQuestionRestoresTheTerminal(t *testing.T) {
	for _, tt := range []struct{ name, child, shown string }{
		{"Secret", "secret", "CA passphrase: "},
		{"Text", "text", "Name of the CA:"},
	} {
		for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(tt.name+"/"+sig.String(), func(t *testing.T) {
				t.Parallel()
				c := start(t, tt.child, "xterm", true)
				c.expect(tt.shown)
				c.typeIn("abc")
				if err := c.cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				const want = "error: cancelled cancelled: true\n"
				if got := c.end(); got != want {
					t.Errorf("printed %q, want %q", got, want)
				}
			})
		}
	}
}

func TestTerminalThatGoesAwayCancels(t *testing.T) {
	for _, tt := range []struct{ name, child, shown string }{
		{"Secret", "secret", "CA passphrase: "},
		{"Text", "text", "Name of the CA:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, tt.child, "xterm", true)
			c.expect(tt.shown)
			c.tty.Close()
			c.ptmx.Close()
			if err := c.cmd.Wait(); err != nil {
				t.Errorf("the asking process ended with %v", err)
			}
			if want := "cancelled: true\n"; !strings.HasSuffix(c.out.String(), want) {
				t.Errorf("printed %q, want it to end with %q", c.out.String(), want)
			}
		})
	}
}

func TestTerminalThatTellsNoCursorPosition(t *testing.T) {
	tests := []struct {
		name, term, child string
		steps             []step
		want              string
	}{
		{"Dumb", "dumb", "text", []step{{"Name of the CA: ", "Valley\r"}}, "answer: Valley\n"},
		{"Nameless", "", "text with default", []step{{"Host: (fts.example.org) ", "\r"}}, "answer: fts.example.org\n"},
		{"DumbConfirm", "dumb", "confirm with default", []step{{"Go on? (Y/n) ", "?\r"}, {"Go on? (Y/n) ", "n\r"}},
			"answer: false\n"},
		{"DumbConfirmNeverAnswered", "dumb", "confirm with default",
			[]step{{"(Y/n) ", "?\r"}, {"(Y/n) ", "?\r"}, {"(Y/n) ", "?\r"}},
			"error: no answer to \"Go on\": give --yes cancelled: false\n"},
		{"DumbEndOfInput", "dumb", "confirm with default", []step{{"(Y/n) ", "\x04"}},
			"error: cancelled cancelled: true\n"},
		{"DumbCtrlC", "dumb", "text", []step{{"Name of the CA: ", "abc\x03"}}, "error: cancelled cancelled: true\n"},
		{"SilentIsFoundOut", "xterm", "one after the other",
			[]step{{"\x1b[6n", ""}, {"Name of the CA: ", "CA\r"}, {"CA passphrase: ", "pass\r"}, {"Go on? (y/N) ", "y\r"}},
			"answer: CA\nanswer: pass\nanswer: true\n"},
		{"TypedAheadIsKept", "xterm", "text", []step{{"\x1b[6n", "Val"}, {"Name of the CA: Val", "ley\r"}},
			"answer: Valley\n"},
		{"TypedAheadWhole", "xterm", "text", []step{{"\x1b[6n", "Valley\r"}}, "answer: Valley\n"},
		{"TypedAheadCtrlC", "xterm", "text", []step{{"\x1b[6n", "\x03"}}, "error: cancelled cancelled: true\n"},
		{"LateReportIsNoAnswer", "xterm", "text", []step{{"\x1b[6n", ""}, {"Name of the CA: ", "\x1b[24;80RValley\r"}},
			"answer: Valley\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, tt.child, tt.term, false)
			for _, s := range tt.steps {
				c.expect(s.shown)
				c.typeIn(s.typed)
			}
			if got := c.end(); got != tt.want {
				t.Errorf("printed %q, want %q; shown was %q", got, tt.want, c.shown())
			}
		})
	}
}

func TestOpenWithoutATerminal(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=text")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	const want = "error: opening the terminal: open /dev/tty: no such device or address cancelled: false\n"
	if string(out) != want {
		t.Errorf("printed %q, want %q", out, want)
	}
}
