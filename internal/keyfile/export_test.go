package keyfile

// Rounds returns how many rounds of key derivation a sealed key in a PEM file asks for.
func Rounds(data []byte) (int, bool) {
	block, err := find(data)
	if err != nil {
		return 0, false
	}
	e, err := parseEnvelope(block.Bytes)
	if err != nil {
		return 0, false
	}
	return e.rounds, true
}

// ROCAGroup is a small prime, and the order of the powers of 65537 modulo it.
type ROCAGroup struct{ Order, Prime uint64 }

// ROCAGroups are those by which moduli of a flawed chip are told.
func ROCAGroups() []ROCAGroup {
	var groups []ROCAGroup
	for _, g := range rocaGroups {
		groups = append(groups, ROCAGroup{g.order, g.prime})
	}
	return groups
}
