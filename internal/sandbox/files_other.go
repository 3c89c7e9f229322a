//go:build !unix

package sandbox

func noCoreFiles() error { return nil }
