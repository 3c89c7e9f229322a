//go:build unix

package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/control"
)

// sessions make an answer longer than a socket holds.
const sessions = 1500

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// serve answers on a socket of its own until the test ends, and returns its path. It knows bob, thrice.
func serve(t *testing.T, stalling time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), control.SocketName)
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := control.Server{Patience: stalling, Handlers: map[string]control.Handler{
		control.VerbKick: func(r control.Request) (any, error) {
			var k control.Kick
			if err := r.Decode(&k); err != nil {
				return nil, err
			}
			if k.Name != "bob" {
				return nil, errors.New("only bob is here")
			}
			return control.Kicked{Name: k.Name, Cut: 3}, nil
		},
		control.VerbStatus: func(control.Request) (any, error) {
			return control.Status{Sessions: make([]control.Session, sessions)}, nil
		},
	}}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return path
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func TestCall(t *testing.T) {
	path := serve(t, 0)
	var kicked control.Kicked
	if err := control.Call(t.Context(), path, control.VerbKick, control.Kick{Name: "bob"}, &kicked); err != nil || kicked.Cut != 3 {
		t.Errorf("kicked %+v, %v", kicked, err)
	}
	var status control.Status
	if err := control.Call(t.Context(), path, control.VerbStatus, nil, &status); err != nil || len(status.Sessions) != sessions {
		t.Errorf("%d sessions, %v", len(status.Sessions), err)
	}
	for name, c := range map[string]struct {
		verb      string
		arguments any
		code      control.Code
		says      string
	}{
		"a failure":       {control.VerbKick, control.Kick{Name: "eve"}, control.Failed, "only bob is here"},
		"no arguments":    {control.VerbKick, nil, control.BadRequest, `the arguments of "kick" cannot be read: it is no JSON object`},
		"other arguments": {control.VerbKick, map[string]int{"name": 7}, control.BadRequest, `the arguments of "kick" cannot be read`},
		"no such verb":    {"sing", nil, control.UnknownVerb, `serve does not know "sing"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := control.Call(t.Context(), path, c.verb, c.arguments, &kicked)
			var refused *control.Error
			if !errors.As(err, &refused) || refused.Code != c.code || !strings.Contains(refused.Message, c.says) {
				t.Errorf("got %v, want %s, %s", err, c.code, c.says)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), control.SocketName)
	l, err := control.Listen(path) // and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := control.Call(ctx, path, control.VerbStatus, nil, &control.Status{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Whatever comes, the answer is one line of JSON or nothing, and the next one is served.
func TestHostileClients(t *testing.T) {
	path := serve(t, time.Second)
	for name, c := range map[string]struct {
		send string
		code control.Code // "" for no answer
	}{
		"garbage":             {"\x00\xff\x16\x03\x01 GET / HTTP/1.1\n", control.BadRequest},
		"nothing":             {"", ""},
		"half a request":      {`{"version":1,"ver`, ""},
		"an empty line":       {"\n", control.BadRequest},
		"null":                {"null\n", control.BadRequest},
		"an array":            {"[1,2]\n", control.BadRequest},
		"two at once":         {`{"version":1,"verb":"status"}{"version":1,"verb":"status"}` + "\n", control.BadRequest},
		"no verb":             {`{"version":1}` + "\n", control.BadRequest},
		"no version":          {`{"verb":"status"}` + "\n", control.BadVersion},
		"a later version":     {`{"version":2,"verb":"status"}` + "\n", control.BadVersion},
		"deep":                {strings.Repeat("[", 60_000) + "\n", control.BadRequest},
		"deep arguments":      {`{"version":1,"verb":"kick","arguments":` + strings.Repeat(`{"a":`, 10_000) + "\n", control.BadRequest},
		"longer than allowed": {strings.Repeat("x", control.MaxRequest+1), control.BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, path)
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if c.code == "" {
				if len(answer) > 0 {
					t.Errorf("was answered %s", answer)
				}
				return
			}
			var r control.Response
			if json.Unmarshal(answer, &r) != nil || r.Error == nil || r.Error.Code != c.code {
				t.Errorf("was answered %.200s, %v; want %s", answer, err, c.code)
			}
		})
	}
	var kicked control.Kicked
	if err := control.Call(t.Context(), path, control.VerbKick, control.Kick{Name: "bob"}, &kicked); err != nil {
		t.Error(err)
	}
}

func TestAnEndlessRequestIsCut(t *testing.T) {
	conn := dial(t, serve(t, time.Hour))
	block := bytes.Repeat([]byte("x"), 32<<10)
	for sent := 0; ; sent += len(block) {
		if _, err := conn.Write(block); err != nil {
			return
		}
		if sent > 64<<20 {
			t.Fatalf("%d bytes were taken", sent)
		}
	}
}

// Those who stall are more than are listened to, and have all the time in the world.
func TestWhoStallsHurtsNobody(t *testing.T) {
	path := serve(t, time.Hour)
	for i := range 100 {
		conn := dial(t, path)
		switch i % 3 {
		case 1:
			io.WriteString(conn, `{"version":1,`)
		case 2: // asks, and does not read
			io.WriteString(conn, `{"version":1,"verb":"status"}`+"\n")
		}
	}
	var kicked control.Kicked
	if err := control.Call(t.Context(), path, control.VerbKick, control.Kick{Name: "bob"}, &kicked); err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	path := serve(t, 0)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			var status control.Status
			if err := control.Call(t.Context(), path, control.VerbStatus, nil, &status); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
