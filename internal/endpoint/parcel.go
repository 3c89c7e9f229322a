package endpoint

// A parcel is one or more whole events in the form in which they leave, one behind the other. It is encoded once and
// shared by all who receive it, so nobody may change it after it was published.
type parcel struct {
	xml    []byte
	events int
}

// whole reports whether event makes up all of p, so that keeping the one keeps nothing else in memory.
func (p *parcel) whole(event []byte) bool { return len(p.xml) == len(event) }
