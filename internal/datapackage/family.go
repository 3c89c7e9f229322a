package datapackage

import (
	"fmt"
	"slices"
	"strings"
)

// Family names the clients that read one form of package.
type Family string

const (
	// ATAK is ATAK on Android: its certificates are named by keys with the index of their connection, and it alone takes
	// several servers in a package.
	ATAK Family = "atak"
	// WinTAK is WinTAK on Windows. Its source is closed; the form is that of the packages that are reported to work.
	WinTAK Family = "wintak"
	// ITAK is iTAK on iOS. Its source is closed too.
	ITAK Family = "itak"
	// TAKAware is TAK Aware on iOS, and the others that use its library, as TAK Tracker.
	TAKAware Family = "takaware"
)

// Families returns every family, that of most devices first.
func Families() []Family { return []Family{ATAK, WinTAK, ITAK, TAKAware} }

// ParseFamilies reads a list of families, such as "atak,itak", or "all". Upper case and blanks around a name do not
// matter, and each is returned once. The error lists the names.
func ParseFamilies(list string) ([]Family, error) {
	var families []Family
	for name := range strings.SplitSeq(list, ",") {
		f := Family(strings.ToLower(strings.TrimSpace(name)))
		more := []Family{f}
		switch {
		case f == "all":
			more = Families()
		case !f.known():
			return nil, fmt.Errorf("%.50q is no family of devices: write atak, wintak, itak, takaware, several with commas between them, or all", name)
		}
		for _, one := range more {
			if !slices.Contains(families, one) {
				families = append(families, one)
			}
		}
	}
	return families, nil
}

func (f Family) known() bool { return slices.Contains(Families(), f) }

// Title is the name that people know the client by, as "TAK Aware".
func (f Family) Title() string {
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

// FileName is what a package's file is called: the [FileStem] of name and serial, and for another family than ATAK its
// name, as "alice-9c8d2798.zip" and "alice-9c8d2798-itak.zip".
func (f Family) FileName(name, serialHex string) string {
	return FileStem(name, serialHex) + f.suffix() + ".zip"
}

func (f Family) suffix() string {
	if f == ATAK {
		return ""
	}
	return "-" + string(f)
}

// TakesFiles tells whether the family takes further files of a unit out of a package, such as map sources. The other two
// read the files that they are looking for, and no folder.
func (f Family) TakesFiles() bool { return f == ATAK || f == WinTAK }
