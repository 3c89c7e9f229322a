//go:build unix

package command

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// ownerOf is the name of the account that a folder belongs to, or its number where it has none, as sudo takes it and quoted
// for a shell, to which a word that begins with # is a comment; "" where that is root, or not known.
func ownerOf(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return ""
	}
	id := strconv.Itoa(int(owner.Uid))
	if account, err := user.LookupId(id); err == nil {
		return account.Username
	}
	return "'#" + id + "'"
}
