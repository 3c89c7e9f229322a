package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/control"
	"github.com/ftsca/ftsca/internal/output"
)

// watchEvery is how often --watch looks.
const watchEvery = time.Second

type statusOptions struct {
	g     *global
	json  bool
	watch bool
}

func newStatusCommand(g *global, runF func(context.Context, *statusOptions) error) *cobra.Command {
	o := &statusOptions{g: g}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show who is connected to the running endpoint, and what is in force there",
		Long: `Ask the ftsca serve that runs on this store who is connected, what is in force, and what expires. It
answers the account that serves, and root, on this machine.

A callsign is the device's own word; the name is that of its certificate. The queue is what waits for a
device, in events and bytes; received and sent count events. On a terminal these are in and out, and
the port of an address is left out, so that a line holds all of it: a pipe and --json have more.

The exit code is 3 where serve runs and is not ready: a file of the store is broken, and what was in force
before stays in force; or it is ending. It is 1 where no ftsca serve runs on this store.

--watch shows it anew each second, until it is interrupted, and then ends with 0.`,
		Example: `  ftsca status
  ftsca status --watch
  ftsca status --json | jq -r '.sessions[].name'
  ftsca status >/dev/null || echo "the endpoint needs a look"`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.json, "json", false, "print the status as JSON")
	flags.BoolVar(&o.watch, "watch", false, "show it anew each second, until interrupted")
	return cmd
}

func runStatus(ctx context.Context, o *statusOptions) error {
	status, err := o.ask(ctx)
	if err != nil {
		return err
	}
	if o.watch {
		return o.watching(ctx, status)
	}
	if err := o.print(o.g.env.Stdout, status); err != nil {
		return err
	}
	if !status.Ready {
		return &noError{"serve is not ready: " + strings.Join(status.Faults, "; ")}
	}
	return nil
}

func (o *statusOptions) ask(ctx context.Context) (status control.Status, err error) {
	err = o.g.ask(ctx, control.VerbStatus, nil, &status)
	return status, err
}

// watching shows the status each second until ctx is done. That a serve ends meanwhile is shown and waited out, for it may
// be started again.
func (o *statusOptions) watching(ctx context.Context, status control.Status) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var err error
	for {
		var screen bytes.Buffer
		if err != nil {
			fmt.Fprintf(&screen, "%v\n", err)
		} else if err := o.print(&screen, status); err != nil {
			return err
		}
		if err := o.draw(screen.Bytes(), err != nil); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if status, err = o.ask(ctx); errors.Is(err, context.Canceled) {
			return nil
		}
	}
}

// draw replaces the screen of a terminal, and goes on below for anybody else, to whom a fault is no result.
func (o *statusOptions) draw(screen []byte, fault bool) error {
	env := o.g.env
	if tty, _ := env.tty(); tty && !o.json {
		screen = append([]byte("\x1b[H\x1b[2J"), screen...)
	} else if fault {
		_, err := env.Stderr.Write(append([]byte("ftsca: "), screen...))
		return err
	} else if !o.json {
		screen = append(screen, '\n')
	}
	_, err := env.Stdout.Write(screen)
	return err
}

// print writes the status for whoever reads standard output.
func (o *statusOptions) print(w io.Writer, status control.Status) error {
	if o.json {
		return output.JSON(w, status)
	}
	tty, width := o.g.env.tty()
	now := o.g.env.Now()
	when := func(t time.Time) string { return output.Time(t, now, tty) }
	shown := status.Sessions
	if tty {
		shown = shown[:min(len(shown), mostRows)]
	}
	if err := output.Table(w, width, sessionHeader(tty), sessionRows(shown, now, tty)); err != nil {
		return err
	}
	if more := len(status.Sessions) - len(shown); more > 0 {
		fmt.Fprintf(w, "and %d more: --json shows all\n", more)
	}
	facts := [][]string{
		{"sessions", strconv.Itoa(len(status.Sessions))},
		{"address", status.Address},
		{"since", when(status.Started)},
		{"revocations", strconv.Itoa(status.Revocations)},
		{"files read", when(status.Loaded)},
	}
	if status.Unsigned > 0 {
		unsigned := strconv.Itoa(status.Unsigned)
		if status.UnsignedSince != nil {
			unsigned += ", since " + when(*status.UnsignedSince)
		}
		facts = append(facts, []string{"unsigned", unsigned})
	}
	if status.Ready {
		facts = append(facts, []string{"ready", "yes"})
	}
	for _, fault := range status.Faults {
		facts = append(facts, []string{"ready", "no: " + fault})
	}
	fmt.Fprintln(w)
	if err := output.Table(w, width, []string{"serve", "now"}, facts); err != nil {
		return err
	}
	ends := make([][]string, len(status.Expires))
	for i, e := range status.Expires {
		end := ""
		if e.End != nil {
			end = when(*e.End)
		}
		ends[i] = []string{e.What, e.Name, end}
	}
	fmt.Fprintln(w)
	return output.Table(w, width, []string{"expires", "name", "until"}, ends)
}

// sessionHeader is what sessionRows are: on a terminal, words short enough for 80 columns.
func sessionHeader(tty bool) []string {
	in, out := "received", "sent"
	if tty {
		in, out = "in", "out"
	}
	return []string{"name", "callsign", "address", "since", "encoding", "tls", "queue", in, out}
}

// sessionRows are a line for each session; on a terminal without what only a program asks for.
func sessionRows(sessions []control.Session, now time.Time, tty bool) [][]string {
	rows := make([][]string, len(sessions))
	for i, s := range sessions {
		address, since := s.Address, output.Time(s.Since, now, false)
		if tty {
			since = output.Brief(s.Since, now)
			if host, _, err := net.SplitHostPort(address); err == nil {
				address = host
			}
		}
		rows[i] = []string{s.Name, s.Callsign, address, since, s.Encoding, strings.TrimPrefix(s.TLS, "TLS "), queueOf(s),
			strconv.FormatUint(s.Received, 10), strconv.FormatUint(s.Sent, 10)}
	}
	return rows
}

// queueOf is what waits for a session's peer: events and bytes.
func queueOf(s control.Session) string {
	if s.QueueEvents == 0 {
		return "0"
	}
	return fmt.Sprintf("%d/%d", s.QueueEvents, s.QueueBytes)
}
