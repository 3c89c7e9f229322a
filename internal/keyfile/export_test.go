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
