package main_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// Confined as it is, serve tells the service manager how it is from the start to the end: a socket that is a file, as
// systemd has it, or an abstract one.
func TestServeTellsTheServiceManagerHowItIs(t *testing.T) {
	o := newOperator(t)
	o.must("issue", "server", "localhost", "--key", "ecdsa-p256")
	for _, socket := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@ftsca-notify-%d", os.Getpid())} {
		manager, err := net.ListenPacket("unixgram", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer manager.Close()
		serve := o.command("serve", "--listen", "127.0.0.1:0")
		serve.Env = append(serve.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=200000")
		serve.Stderr = os.Stderr
		if err := serve.Start(); err != nil {
			t.Fatal(err)
		}
		defer serve.Process.Kill()
		heard := ""
		// hears waits for a message, and passes over those that say that serve lives, unless it waits for these.
		hears := func(pattern string) {
			t.Helper()
			message := make([]byte, 4096)
			for end := time.Now().Add(patience); ; {
				if err := manager.SetReadDeadline(end); err != nil {
					t.Fatal(err)
				}
				n, _, err := manager.ReadFrom(message)
				if err != nil {
					t.Fatalf("%v after %q, instead of %s", err, heard, pattern)
				}
				heard = string(message[:n])
				if regexp.MustCompile(pattern).MatchString(heard) {
					return
				}
				if heard != "WATCHDOG=1" {
					t.Fatalf("the manager heard %q instead of %s", heard, pattern)
				}
			}
		}
		tell := func(s syscall.Signal) {
			t.Helper()
			if err := serve.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		const ready = `^READY=1\nSTATUS=listening on 127\.0\.0\.1:[0-9]+$`
		hears(ready)
		hears(`^WATCHDOG=1$`)
		tell(syscall.SIGHUP)
		hears(`^RELOADING=1\nMONOTONIC_USEC=[0-9]+$`)
		hears(ready)
		hears(`^WATCHDOG=1$`)
		tell(syscall.SIGTERM)
		hears(`^STOPPING=1$`)
		if err := serve.Wait(); err != nil {
			t.Error(err)
		}
	}
}
