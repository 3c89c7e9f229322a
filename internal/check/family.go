package check

import (
	"fmt"
	"slices"
)

// Family is the devices that read a package by the same rules.
type Family string

// The families, by the words that commands take for them.
const (
	ATAK     Family = "atak"     // ATAK on Android, 4.6 to 5.5
	WinTAK   Family = "wintak"   // WinTAK on Windows
	ITAK     Family = "itak"     // iTAK on iOS
	TAKAware Family = "takaware" // TAK Aware and TAKTracker on iOS
)

// Families returns every family, in the order of reports.
func Families() []Family { return []Family{ATAK, WinTAK, ITAK, TAKAware} }

// ParseFamily returns the family of that word. The error lists the words.
func ParseFamily(s string) (Family, error) {
	if f := Family(s); slices.Contains(Families(), f) {
		return f, nil
	}
	return "", fmt.Errorf("device family %.50q is none of atak, wintak, itak, takaware", s)
}

// String is the name that people know the family by: "iTAK".
func (f Family) String() string {
	switch f {
	case ATAK:
		return "ATAK"
	case WinTAK:
		return "WinTAK"
	case ITAK:
		return "iTAK"
	case TAKAware:
		return "TAK Aware"
	}
	return string(f)
}

// levels are what one thing is to each family, in the order of Families; "" where it is nothing to the family.
type levels [4]Level

func all(l Level) levels { return levels{l, l, l, l} }

func (l levels) of(f Family) Level { return l[slices.Index(Families(), f)] }
