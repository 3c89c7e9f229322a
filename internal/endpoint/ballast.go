package endpoint

// ballastSize is worth a hundred handshakes and more of what a collection clears away.
const ballastSize = 8 << 20

// Ballast returns memory that is never touched, so that the system never gives any for it, and that whoever runs an
// endpoint as a process of its own holds on to for as long as it serves ([runtime.KeepAlive]). The collector runs whenever
// what is in use has doubled, or at 4 MiB: a process as small as this one would collect every thirty handshakes, and that
// costs one twentieth of each. With the ballast counted as in use, it waits for 8 MiB more.
func Ballast() []byte { return make([]byte, ballastSize) }
