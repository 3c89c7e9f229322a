//go:build unix

package control

import (
	"context"
	"crypto/rand"
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
// enter, and moved from there to its place when it has its own. Root may do that in a folder of somebody else's, who could
// put links there meanwhile: what root changes and moves is never looked for outside of the folder.
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
	room, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	sweep(room)
	private := nest + rand.Text()[:8]
	if err := room.Mkdir(private, 0o700); err != nil {
		return nil, err
	}
	made := private + "/s"
	defer room.Remove(private)
	l, err := bind(filepath.Join(dir, made))
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove what stands at the name of the moment
	info, err := own(room, made)
	if err == nil {
		err = room.Rename(made, filepath.Base(path))
	}
	if err != nil {
		_ = room.Remove(made)
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
func own(room *os.Root, name string) (fs.FileInfo, error) {
	if err := room.Chmod(name, 0o600); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		folder, err := room.Stat(".")
		if err != nil {
			return nil, err
		}
		if owner, ok := folder.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
			if err := room.Lchown(name, int(owner.Uid), int(owner.Gid)); err != nil {
				return nil, err
			}
		}
	}
	return room.Lstat(name)
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
func sweep(room *os.Root) {
	entries, _ := fs.ReadDir(room.FS(), ".")
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), nest) {
			_ = room.Remove(e.Name() + "/s")
			_ = room.Remove(e.Name())
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
