//go:build !unix

package control

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Listen returns [errors.ErrUnsupported]: what a file's mode says keeps nobody from a socket here.
func Listen(path string) (net.Listener, error) {
	return nil, fmt.Errorf("making the status socket %s: %w", path, errors.ErrUnsupported)
}

func dial(context.Context, string) (net.Conn, error) { return nil, errors.ErrUnsupported }
