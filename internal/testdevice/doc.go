// Package testdevice plays an ATAK device, for tests, for the demo and for benchmarks: it opens a client's package and
// connects with what is in it, by the rules of ATAK's own source, and is no more forgiving than the strictest version
// (4.6 in most). It shares no code with the packages that make what it reads, so that a mistake there is none here.
//
// Start with [Open], then [Package.Dial]. [OpenWinTAK], [OpenITAK] and [OpenTAKAware] read the packages of the other
// clients: by source where there is one, else in the narrowest form that is reported to work.
package testdevice
