package control

import (
	"errors"
	"fmt"
)

// SocketName is the socket's file, in the endpoint room.
const SocketName = "serve.sock"

// ErrNotServing is returned where nobody serves on the socket: there is none, or the process that made it is gone.
var ErrNotServing = errors.New("nobody serves there")

// InUseError says that another process serves on the socket.
type InUseError struct{ Path string }

func (e *InUseError) Error() string { return "another process serves on " + e.Path }

// TooLongError says that the system takes no socket with so long a path, in whichever way it is written.
type TooLongError struct {
	Path  string
	Limit int // bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the path %s is too long for a socket, which may have %d bytes: start in the store's folder, or move the store to a shorter path", e.Path, e.Limit)
}
