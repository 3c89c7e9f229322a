package durable

// KeepsModes judges a file system by its number and the major number of its device.
func KeepsModes(magic, major uint32) bool { return keepsModes(magic, major) }
