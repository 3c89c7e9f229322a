package cot

import (
	"math"
	"strconv"
	"time"
)

// maxMillis is the last instant that a time of four-digit year can say, in milliseconds since 1970.
const maxMillis = 253402300799999

// appendMillis appends a time given in milliseconds since 1970.
func appendMillis(b []byte, ms uint64) []byte {
	return time.UnixMilli(int64(ms)).UTC().AppendFormat(b, timeForm)
}

// parseMillis reads a time as milliseconds since 1970, without whatever is finer.
func parseMillis(b []byte) (ms uint64, ok bool) {
	t := parseTime(b)
	n := t.UnixMilli()
	return uint64(n), n >= 0 && n <= maxMillis
}

// appendNumber appends the shortest text that reads back as the same double. It has an exponent only where it would be
// very long without.
func appendNumber(b []byte, f float64) []byte {
	form := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(b, f, form, -1, 64)
}

// parseNumber reads a finite double in decimal.
func parseNumber(b []byte) (f float64, ok bool) {
	for _, c := range b {
		if digit(c) < 0 && c != '+' && c != '-' && c != '.' || c|0x20 >= 'a' && c|0x20 != 'e' {
			return 0, false // ParseFloat takes infinities and hexadecimal, which other readers do not
		}
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// parseUint32 reads a number of 32 bits that is written as it would be.
func parseUint32(b []byte) (n uint32, ok bool) {
	var sum uint64
	for _, c := range b {
		if c < '0' || c > '9' || sum > math.MaxUint32 {
			return 0, false
		}
		sum = 10*sum + uint64(c-'0')
	}
	return uint32(sum), len(b) > 0 && sum <= math.MaxUint32 && (b[0] != '0' || len(b) == 1)
}

func finite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }
