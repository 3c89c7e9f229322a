//go:build unix

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// nest begins the name of the folder in which a socket is made.
const nest = "." + SocketName + "-"

// Listen makes the socket at path, readable and writable for its owner alone, and listens on it. One that a dead process
// left is replaced. The error is an *[InUseError] where another process serves on it, and a *[TooLongError] where the path
// cannot be had. Closing the listener removes the socket.
//
// Between bind and chmod a socket has the mode that the umask leaves it, so it is made in a folder that nobody else can
// enter, and moved from there to its place when it has its own.
func Listen(path string) (net.Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("making the status socket: %w", err)
	}
	return l, nil
}

func listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := free(path); err != nil {
		return nil, err
	}
	sweep(dir)
	private, err := os.MkdirTemp(dir, nest)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	l, err := bind(made)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove what stands at the name of the moment
	info, err := own(made, dir)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &listener{UnixListener: l, path: path, made: info}, nil
}

func bind(path string) (*net.UnixListener, error) {
	name, release, err := reach(path)
	if err != nil {
		return nil, err
	}
	defer release()
	return net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
}

// own gives the socket its mode and, where root serves in somebody else's folder, its owner, and tells what it is.
func own(path, dir string) (fs.FileInfo, error) {
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		folder, err := os.Stat(dir)
		if err != nil {
			return nil, err
		}
		if owner, ok := folder.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
			if err := os.Lchown(path, int(owner.Uid), int(owner.Gid)); err != nil {
				return nil, err
			}
		}
	}
	return os.Lstat(path)
}

// free tells whether the place at path may be taken: there is nothing, or the socket of a dead process.
func free(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no socket: move it away", path)
	}
	conn, err := dial(context.Background(), path)
	switch {
	case err == nil:
		_ = conn.Close()
		return &InUseError{path}
	case errors.Is(err, ErrNotServing):
		return nil
	case errors.Is(err, syscall.EAGAIN):
		return &InUseError{path} // and so many ask it that one more has to wait
	}
	return err
}

// sweep removes what a kill left in the middle of making a socket. The folder is locked: nobody else is at it.
func sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), nest) {
			path := filepath.Join(dir, e.Name())
			_ = os.Remove(filepath.Join(path, "s"))
			_ = os.Remove(path)
		}
	}
}

// listener removes its socket when it is closed, unless another one has taken its place.
type listener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
	once sync.Once
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(l.remove)
	return l.UnixListener.Close()
}

func (l *listener) remove() {
	unlock, err := lock(filepath.Dir(l.path))
	if err != nil {
		return // the next one finds a dead process's socket
	}
	defer unlock()
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.made) {
		_ = os.Remove(l.path)
	}
}

// dial connects to the socket at path.
func dial(ctx context.Context, path string) (net.Conn, error) {
	name, release, err := reach(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotServing
	}
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNotServing
	}
	return conn, err
}
