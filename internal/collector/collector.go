// Package collector suits the garbage collector to small processes: to commands that soon end, with [Postpone], and to a
// server, with [Ballast].
package collector

import (
	"os"
	"runtime"
	"runtime/debug"
)

// postponed is the percentage by which the first collection comes at 16 MiB. By the usual one, it comes at 4 MiB.
const postponed = 400

// Postpone has the first collection come at 16 MiB in use, and those after it as usual. Most commands end before, and spend
// nothing on it. Where the variable GOGC says when collections come, they do.
func Postpone() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(postponed)
	// The first collection clears it away.
	unused := &struct{ _ *byte }{}
	runtime.AddCleanup(unused, func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// ballastSize is worth a hundred TLS handshakes of what a collection clears away.
const ballastSize = 8 << 20

// Ballast returns memory that is never touched, so that the system never gives any for it, and that a server holds on to
// for as long as it serves ([runtime.KeepAlive]). The collector runs whenever what is in use has doubled: where that is as
// little as in ftsca's, every thirty handshakes, which is one twentieth of what they cost. With the ballast counted as in
// use, it waits for 8 MiB more.
func Ballast() []byte { return make([]byte, ballastSize) }
