package sandbox

// Open is open, for the versions that this kernel does not have.
func Open(version int) []string { return open(version) }
