// Command demo shows ftsca at work: it founds an authority, issues a server and two clients, serves, connects with the
// issued packages as ATAK would, exchanges positions both ways, revokes one client, and shows it cut off. It drives the
// real program and ends by itself; make demo runs it.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ftsca/ftsca/internal/testdevice"
)

func main() {
	program := flag.String("ftsca", "bin/ftsca", "the program to show")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := run(ctx, *program); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// stage is where the demo plays: a folder that goes with it.
type stage struct {
	program string
	dir     string
}

func run(ctx context.Context, program string) (err error) {
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ftsca-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := stage{program: program, dir: dir}
	port, err := freePort()
	if err != nil {
		return err
	}
	for name, line := range map[string]string{"pass.txt": "tall pines over the valley\n", "pw.txt": "river-stone-4417-lantern\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line), 0o600); err != nil {
			return err
		}
	}
	host := "localhost:" + port

	title("An authority, a server, two clients")
	for _, args := range [][]string{
		{"init", "--name", "Valley Rescue CA", "--ca-passphrase-file", "pass.txt"},
		{"issue", "server", "localhost", "--san", "127.0.0.1", "--ca-passphrase-file", "pass.txt"},
		{"issue", "client", "alice", "--host", host, "--ca-passphrase-file", "pass.txt"},
		{"issue", "client", "bob", "--host", host, "--password-file", "pw.txt", "--ca-passphrase-file", "pass.txt"},
		{"list"},
	} {
		if err := s.ftsca(ctx, args...); err != nil {
			return err
		}
	}

	title("The endpoint")
	endpoint, err := s.serve(ctx, "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	defer endpoint.kill()

	title("Two devices, with nothing but their packages")
	alice, err := s.connect(ctx, "alice")
	if err != nil {
		return err
	}
	defer alice.Close()
	bob, err := s.connect(ctx, "bob")
	if err != nil {
		return err
	}
	defer bob.Close()
	if err := talk(ctx, "alice", alice, "bob", bob); err != nil {
		return err
	}
	if err := talk(ctx, "bob", bob, "alice", alice); err != nil {
		return err
	}

	title("bob's phone is lost")
	if err := s.ftsca(ctx, "revoke", "bob", "--reason", "key_compromise", "--ca-passphrase-file", "pass.txt"); err != nil {
		return err
	}
	returned := time.Now()
	if err := ended(ctx, bob); err != nil {
		return err
	}
	fmt.Printf("bob's session was cut %s after the command had returned\n", max(0, time.Since(returned)).Round(time.Millisecond))
	if again, err := s.connect(ctx, "bob"); err == nil {
		again.Close()
		return errors.New("bob came back after he was revoked")
	} else {
		fmt.Printf("bob tries to come back: %v\n", err)
	}
	if err := alice.Ping(ctx); err != nil {
		return fmt.Errorf("alice after the revocation: %w", err)
	}
	fmt.Println("alice's ping is answered as before")

	title("The end")
	return endpoint.stop(ctx)
}

func title(s string) { fmt.Printf("\n== %s\n", s) }

// ftsca shows a command and runs it.
func (s stage) ftsca(ctx context.Context, args ...string) error {
	fmt.Printf("$ ftsca %s\n", quoted(args))
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ftsca %s: %w", args[0], err)
	}
	return nil
}

func quoted(args []string) string {
	var words []string
	for _, a := range args {
		if strings.Contains(a, " ") {
			a = `"` + a + `"`
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// endpoint is a running ftsca serve.
type endpoint struct {
	cmd    *exec.Cmd
	exited chan error
}

func (s stage) serve(ctx context.Context, address string) (*endpoint, error) {
	args := []string{"serve", "--listen", address}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-root") // in a container most likely, which has no other account
	}
	fmt.Printf("$ ftsca %s &\n", quoted(args))
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir = s.dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e := &endpoint{cmd: cmd, exited: make(chan error, 1)}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			fmt.Println("  serve:", lines.Text())
			if strings.Contains(lines.Text(), "listening") {
				ready <- true
			}
		}
		io.Copy(io.Discard, stderr)
		e.exited <- cmd.Wait()
	}()
	select {
	case <-ready:
		return e, nil
	case err := <-e.exited:
		return nil, fmt.Errorf("ftsca serve ended: %v", err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends the endpoint as an operator does, and wants a clean end.
func (e *endpoint) stop(ctx context.Context) error {
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-e.exited:
		e.exited <- err
		if err != nil {
			return fmt.Errorf("ftsca serve did not end cleanly: %w", err)
		}
		fmt.Println("the endpoint has drained and ended; nothing is left running")
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *endpoint) kill() {
	e.cmd.Process.Kill()
	<-e.exited
}

// connect does what a device does with its package: unpack it, read the preferences, load both p12 files, and connect
// to where it says.
func (s stage) connect(ctx context.Context, name string) (*testdevice.Device, error) {
	found, err := filepath.Glob(filepath.Join(s.dir, "pki", "clientPackages", name+"-*.zip"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%d packages for %s", len(found), name)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		return nil, err
	}
	pkg, err := testdevice.Open(data)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", filepath.Base(found[0]), err)
	}
	d, err := pkg.Dial(ctx, "")
	if err != nil {
		return nil, err
	}
	// In TLS 1.3 a device learns only from the first answer whether it was let in.
	if err := d.Ping(ctx); err != nil {
		d.Close()
		return nil, err
	}
	fmt.Printf("%s: %s → %s:%d, ping answered\n", name, filepath.Base(found[0]), pkg.Host, pkg.Port)
	return d, nil
}

// talk sends one device's position and shows what the other receives.
func talk(ctx context.Context, from string, sender *testdevice.Device, to string, receiver *testdevice.Device) error {
	uid := "ANDROID-" + from
	if err := sender.Send(sender.Position(uid, from)); err != nil {
		return err
	}
	for {
		event, err := receiver.Next(ctx)
		if err != nil {
			return fmt.Errorf("%s waits for %s: %w", to, from, err)
		}
		if strings.Contains(string(event), uid) {
			fmt.Printf("%s → %s: %.150s…\n", from, to, event)
			return nil
		}
	}
}

// ended waits until a device's session is over.
func ended(ctx context.Context, d *testdevice.Device) error {
	for {
		if _, err := d.Next(ctx); err != nil {
			return ctx.Err()
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
