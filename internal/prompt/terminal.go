package prompt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// attempts is how often a question is asked before its last objection becomes an error.
const attempts = 3

// Terminal asks on the controlling terminal. One question at a time: it is not safe for concurrent use.
type Terminal struct {
	in, out *os.File
	keys    *keyboard
	mute    bool // does not tell where its cursor is, which survey needs
	gone    bool // a question was cancelled, and its reader may still be waiting for a key

	reportWait time.Duration
}

// Open opens the controlling terminal: /dev/tty, on Windows the console. It fails when the process has none, as under
// cron, systemd or in a pipeline on another machine; Refusing is for that case.
func Open() (*Terminal, error) {
	in, out, err := openFiles()
	if err != nil {
		return nil, fmt.Errorf("opening the terminal: %w", err)
	}
	t := &Terminal{in: in, out: out, keys: &keyboard{file: in}, mute: mute(), reportWait: reportWait}
	if !term.IsTerminal(t.fd()) {
		return nil, errors.Join(fmt.Errorf("opening the terminal: %s is none", in.Name()), t.Close())
	}
	return t, nil
}

// Close gives the terminal back. The process keeps its standard input and output.
func (t *Terminal) Close() error {
	err := t.in.Close()
	if t.out != t.in {
		err = errors.Join(err, t.out.Close())
	}
	return err
}

func (t *Terminal) fd() int { return int(t.in.Fd()) }

// mode is what the terminal does with keys while a question is open.
type mode int

const (
	edited mode = iota // lines, echoed and edited by the terminal itself
	raw                // each key at once and unseen, Ctrl-C too; lines on the screen end in \r\n
)

// ask puts one question and sees to it that the terminal is afterwards what it was, also when a signal ends the
// question: a shell whose echo stays off after Ctrl-C is the classic fault of passphrase prompts. Only ask changes the
// mode: a question that a signal cut off goes on in the background, and must not undo what was put right.
func ask[T any](t *Terminal, m mode, question func() (T, error)) (T, error) {
	var none T
	if t.gone {
		return none, ErrCancelled
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	before, err := t.enter(m)
	if err != nil {
		t.gone = true
		return none, fmt.Errorf("preparing the terminal for a question: %w", err)
	}
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1) // room for one, so that an answer after the signal blocks nobody
	go func() {
		value, err := question()
		done <- answer{value, err}
	}()
	a := answer{err: ErrCancelled}
	select {
	case a = <-done:
		err = term.Restore(t.fd(), before)
	case <-signals:
		_ = term.Restore(t.fd(), before)
		// The cursor, which survey hides, and a line of its own for whatever comes next.
		_, _ = io.WriteString(t.out, t.showCursor()+"\n")
	}
	switch {
	// A terminal that is hung up while it is read gives EIO, afterwards io.EOF.
	case errors.Is(a.err, ErrCancelled), errors.Is(a.err, io.EOF), errors.Is(a.err, syscall.EIO):
		t.gone = true
		return none, ErrCancelled
	case a.err == nil && err != nil:
		return none, fmt.Errorf("putting the terminal back after a question: %w", err)
	}
	return a.value, a.err
}

func (t *Terminal) enter(m mode) (before *term.State, err error) {
	if m == raw {
		return term.MakeRaw(t.fd())
	}
	return term.GetState(t.fd())
}

func (t *Terminal) showCursor() string {
	if t.mute {
		return ""
	}
	return "\x1b[?25h"
}
