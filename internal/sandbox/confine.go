package sandbox

// Reach is what a confined process still reaches by name. The zero Reach is nothing at all.
type Reach struct {
	// Room is a folder in which it may read and list, and remove files. Empty: none.
	Room string
	// Files are folders whose files it may read, and those of the folders below them. Nil: none.
	Files []string
	// Itself lets it read what /proc tells of itself, and in /proc/stat of the machine, where there is a /proc.
	Itself bool
}

// Confinement is what came of [Confine].
type Confinement struct {
	// Landlock is the version of the rules that hold the process (the ABI of landlock(7)); 0 where it is not confined.
	Landlock int
	// Open are the ways out that rules of this version do not know, and a newer kernel's would close.
	Open []string
	// Why says why the process is not confined; empty where it is.
	Why string
}

// Confined tells whether the process is confined.
func (c Confinement) Confined() bool { return c.Landlock > 0 }
