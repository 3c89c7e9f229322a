package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// patience is how long a client may take for its request, and again for reading the response.
	patience = 5 * time.Second
	// mostVisitors is how many are listened to at a time: each takes a descriptor, of which devices need theirs.
	mostVisitors = 16
)

// A Handler answers the requests of one verb. An error that is an *[Error] reaches the client as it is, any other one
// as Failed. It is called from many goroutines, and must not wait for anybody.
type Handler func(Request) (result any, err error)

// A Server answers requests.
type Server struct {
	// Handlers are those of the verbs that are understood.
	Handlers map[string]Handler
	// Patience is how long a client may take for its request, and again for reading the response. Zero: 5 s.
	Patience time.Duration
}

// Serve answers on l until ctx is done, and closes l. When it returns, nobody is being answered any more.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var visitors visitors
	var running sync.WaitGroup
	defer running.Wait()
	defer visitors.close()
	defer l.Close()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("answering on the status socket: %w", err)
		case err != nil:
			// No descriptor is left, most likely, and may be again in a moment.
			pause(ctx, time.Second)
			continue
		}
		visitors.add(conn)
		running.Go(func() {
			defer visitors.remove(conn)
			s.answer(conn)
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// answer answers the one request of a connection.
func (s *Server) answer(conn net.Conn) {
	d := s.Patience
	if d <= 0 {
		d = patience
	}
	_ = conn.SetDeadline(time.Now().Add(d))
	line, err := readLine(conn, MaxRequest)
	if errors.Is(err, errTooLong) {
		err = &Error{BadRequest, fmt.Sprintf("the request is longer than %d bytes", MaxRequest)}
	} else if err != nil {
		return // who went away, or said nothing, hears nothing
	}
	var result any
	if err == nil {
		result, err = s.handle(line)
	}
	response := responseOf(result, err)
	_ = conn.SetDeadline(time.Now().Add(d))
	_, _ = conn.Write(append(response, '\n'))
}

func (s *Server) handle(line []byte) (any, error) {
	r, err := ParseRequest(line)
	if err != nil {
		return nil, err
	}
	h := s.Handlers[r.Verb]
	if h == nil {
		return nil, &Error{UnknownVerb, fmt.Sprintf("serve does not know %q", r.Verb)}
	}
	return h(r)
}

func responseOf(result any, err error) []byte {
	r := Response{Version: Version}
	if err == nil {
		r.Result, err = json.Marshal(result)
	}
	if err != nil && !errors.As(err, &r.Error) {
		r.Error = &Error{Failed, err.Error()}
	}
	line, err := json.Marshal(r)
	if err != nil {
		line, _ = json.Marshal(Response{Version: Version, Error: &Error{Failed, err.Error()}})
	}
	return line
}

var errTooLong = errors.New("the line is too long")

// readLine reads up to a newline, or to the end, without it.
func readLine(r io.Reader, limit int) ([]byte, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(r, int64(limit)+1), 4096).ReadBytes('\n')
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case !errors.Is(err, io.EOF):
		return nil, err
	case len(line) > limit:
		return nil, errTooLong
	case len(line) == 0:
		return nil, io.EOF
	}
	return line, nil
}
