package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// maxResponse holds the sessions of some hundred thousand peers.
	maxResponse = 64 << 20
	// callPatience is longer than what the server has for reading and for writing.
	callPatience = 15 * time.Second
)

// Call sends a request to whoever serves on the socket at path, and puts the result into result. arguments may be nil.
// The error is [ErrNotServing] where nobody serves, an *[Error] where the request was refused, and [errors.ErrUnsupported]
// on a system without such sockets.
func Call(ctx context.Context, path, verb string, arguments, result any) error {
	request := Request{Version: Version, Verb: verb}
	if arguments != nil {
		data, err := json.Marshal(arguments)
		if err != nil {
			return fmt.Errorf("asking for %s: %w", verb, err)
		}
		request.Arguments = data
	}
	line, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", verb, err)
	}
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	answer, err := exchange(ctx, path, append(line, '\n'))
	if err != nil {
		// What a closed connection says is not why it was closed.
		if errors.Is(ctx.Err(), context.Canceled) {
			err = ctx.Err()
		}
		return fmt.Errorf("asking the running serve on %s (%s): %w", path, verb, err)
	}
	var r Response
	if err := decode(answer, &r); err != nil {
		return fmt.Errorf("reading the answer of the running serve on %s: %w", path, err)
	}
	switch {
	case r.Error != nil:
		return fmt.Errorf("asking the running serve on %s (%s): %w", path, verb, r.Error)
	case r.Version != Version:
		return &Error{BadVersion, fmt.Sprintf("the running serve answers in version %d of the protocol, and this ftsca reads %d", r.Version, Version)}
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return fmt.Errorf("reading the answer of the running serve on %s: %w", path, err)
	}
	return nil
}

func exchange(ctx context.Context, path string, line []byte) ([]byte, error) {
	conn, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write(line); err != nil {
		return nil, err
	}
	answer, err := readLine(conn, maxResponse)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("no answer within %s: %w", callPatience, os.ErrDeadlineExceeded)
	case errors.Is(err, io.EOF):
		return nil, errors.New("it hung up without an answer: it is ending, or too many asked at once; try again")
	case err != nil:
		return nil, err
	}
	return answer, nil
}
