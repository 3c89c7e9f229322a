package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version is that of the protocol. Fields may be added to a version, and who does not know them passes them over; whatever
// else changes makes the next one.
const Version = 1

// MaxRequest is how long a request may be, in bytes.
const MaxRequest = 64 << 10

// The verbs.
const (
	VerbStatus = "status" // no arguments; answered with a Status
	VerbKick   = "kick"   // Kick; answered with a Kicked
	VerbUnbind = "unbind" // Unbind; answered with an Unbound
)

// A Request asks for one thing.
type Request struct {
	Version   int             `json:"version"`
	Verb      string          `json:"verb"`
	Arguments json.RawMessage `json:"arguments,omitempty"` // an object; its fields are the verb's own
}

// A Response holds the result, or else an Error.
type Response struct {
	Version int             `json:"version"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// A Code says what kind of Error it is.
type Code string

// The codes of an Error.
const (
	BadRequest  Code = "bad_request"  // it is none, or its arguments are not the verb's
	BadVersion  Code = "bad_version"  // of another version of the protocol
	UnknownVerb Code = "unknown_verb" // of a later ftsca, or none
	Failed      Code = "failed"       // it was understood, and could not be done
)

// An Error is why a request was not answered with a result.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// ParseRequest reads a request: one JSON object with a verb. Its error is an *[Error].
func ParseRequest(line []byte) (Request, error) {
	if len(line) > MaxRequest {
		return Request{}, &Error{BadRequest, fmt.Sprintf("the request is longer than %d bytes", MaxRequest)}
	}
	var r Request
	if err := decode(line, &r); err != nil {
		return Request{}, &Error{BadRequest, "the request cannot be read: " + err.Error()}
	}
	if r.Version != Version {
		return Request{}, &Error{BadVersion, fmt.Sprintf("the request is of version %d of the protocol, and serve speaks %d", r.Version, Version)}
	}
	if r.Verb == "" {
		return Request{}, &Error{BadRequest, "the request has no verb"}
	}
	return r, nil
}

// Decode reads the arguments of a request into v. Its error is an *[Error].
func (r Request) Decode(v any) error {
	if err := decode(r.Arguments, v); err != nil {
		return &Error{BadRequest, fmt.Sprintf("the arguments of %q cannot be read: %v", r.Verb, err)}
	}
	return nil
}

// decode reads the one JSON object that data is.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	// A null, which encoding/json takes for any object, would be a request that asks for nothing.
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) == 0 || start[0] != '{' {
		return errors.New("it is no JSON object")
	}
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}
