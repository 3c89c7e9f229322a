package datapackage

import "github.com/ftsca/ftsca/pkcs12"

// Warnings tells whoever has a package made what its devices will not do, though [Make] makes it: a sentence each, without
// a stop. The profile is that of the Encoder, which does not tell it.
func (f Family) Warnings(p pkcs12.Profile, c Contents) []string {
	var w []string
	if p == pkcs12.Modern {
		w = append(w, f.shutOut())
	}
	if c.AskPassword && (f == ITAK || f == WinTAK) {
		w = append(w, "whether "+f.Title()+" asks for a password that its package leaves out is not known, since its source is closed: "+
			"try it with one device first")
	}
	settings := len(c.Extras.entries()) > 0
	switch {
	case f == TAKAware && settings:
		w = append(w, "TAK Aware takes nothing but the connection out of the preferences: callsign, team, role and the like are to be set by hand")
	case f == ITAK && settings:
		w = append(w, "whether iTAK takes callsign, team, role and the like out of the preferences is not known, since its source is closed")
	}
	for _, to := range c.Connections {
		if f == TAKAware && to.Disabled {
			w = append(w, "TAK Aware connects at once: it does not read that a connection is to be disabled")
			break
		}
	}
	return w
}

// shutOut tells which devices do not open files of the modern profile.
func (f Family) shutOut() string {
	const profile = "the p12 profile modern (AES, SHA-256): "
	switch f {
	case ATAK:
		return profile + "Android before 10 does not open the files, and there ATAK connects, but warns; ATAK 4.6 has been seen to reject them even on Android 12"
	case WinTAK:
		return profile + "Windows 10 before version 1709 does not open the files"
	}
	return profile + "older iOS does not open the files (error -25293), and which version is the first that does is not known"
}
