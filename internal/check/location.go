package check

import (
	"strings"
	"unicode"
)

// find returns the file that a location leads to on the device, or nil. what is the key that it stands under.
func (d *device) find(where, what, location string) *stored {
	d.judgePath(where, what, location)
	name := location[strings.LastIndexAny(location, `/\`)+1:]
	var exact, folded []stored
	for _, f := range d.stored {
		if !ends(f.name, ".p12") && !ends(f.name, ".pfx") {
			continue
		}
		switch b := base(f.name); {
		case b == name:
			exact = append(exact, f)
		case strings.EqualFold(b, name):
			folded = append(folded, f)
		}
	}
	if len(exact) == 0 && len(folded) > 0 {
		d.say(all(Warning), "file-case", where, "%s names %.100q, and the file is called %.100q: upper and lower "+
			"case differ", what, name, base(folded[0].name))
		exact = folded
	}
	if len(exact) == 0 {
		for _, f := range d.left {
			if base(f.name) == name {
				d.say(all(Refusal), "file-missing", where, "%s names %.100q, which the device leaves in the package, "+
					"since the manifest does not list it", what, name)
				return nil
			}
		}
		d.say(d.missing(what), "file-missing", where, "%s names %.100q, and the package has no such file", what, name)
		return nil
	}
	found := exact[len(exact)-1]
	if !ends(found.name, ".p12") {
		d.say(levels{Refusal, Warning, Warning, Warning}, "p12-ending", found.where, "ATAK brings files that end in "+
			".p12 to its folder of certificates, and no others: rename it")
	}
	d.used[found.file] = true
	if !found.read {
		return nil
	}
	return &found
}

// missing tells how grave it is that a file is not there: iTAK takes any .p12 file without a key for a trust store.
func (d *device) missing(what string) levels {
	if stem, _ := keyOf(what); stem == "caLocation" {
		return levels{Refusal, Refusal, Warning, Refusal}
	}
	return all(Refusal)
}

// judgePath judges the folder of a location. ATAK tries it as it is given, then below its own root; TAK Aware looks at
// the last part alone.
func (d *device) judgePath(where, what, location string) {
	folder := location[:max(0, strings.LastIndexAny(location, `/\`))]
	switch {
	case strings.Contains(location, `\`):
		d.say(levels{Refusal, Warning, Refusal, Warning}, "path-backslash", where, `%s is %.150q, with backslashes: `+
			`write "cert/file.p12"`, what, location)
	case folder == "cert" && !strings.HasPrefix(location, "/"):
	case strings.HasPrefix(location, "/") && strings.HasSuffix(folder, "/atak/cert"):
		d.say(levels{Warning, "", Refusal, ""}, "path-absolute", where, "%s is %.150q: an absolute path leads astray "+
			"where ATAK keeps its files elsewhere, and is none of iTAK's: "+
			`write "cert/file.p12"`, what, location)
	case folder == "/cert":
		d.say(levels{Warning, "", Warning, ""}, "path-slash", where, `%s is %.150q: ATAK finds it on the second try `+
			`alone; write "cert/file.p12", without "/" in front`, what, location)
	default:
		d.say(levels{Refusal, Warning, Warning, ""}, "path-folder", where, `%s is %.150q, and ATAK has its `+
			`certificates in the folder cert, wherever they stand in the package: write "cert/file.p12"`, what,
			location)
	}
}

// punctuation is what ATAK leaves in a file's name besides letters and digits.
const punctuation = "-_. ',%$#:@+=&()[]"

// names judges the names of the .p12 files on the device, where all are in one folder.
func (d *device) names() {
	seen := map[string]string{}
	for _, f := range d.stored {
		if !ends(f.name, ".p12") && !ends(f.name, ".pfx") {
			continue
		}
		name := base(f.name)
		if strings.Contains(name, "..") || strings.ContainsFunc(name, func(r rune) bool {
			return !strings.ContainsRune(punctuation, r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			d.say(levels{Refusal, Warning, Warning, Warning}, "name-characters", f.where, "ATAK takes characters out "+
				"of this name, and then does not find it under the one that the preferences have: "+
				`use letters, digits, ".", "_" and "-"`)
		} else if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
			d.say(levels{Warning, Warning, Warning, Warning}, "name-characters", f.where, "ATAK 4.6 takes the "+
				"letters that are not ASCII out of this name, and then does not find it: "+
				`use A to Z, digits, ".", "_" and "-"`)
		}
		lower := strings.ToLower(name)
		if other, ok := seen[lower]; ok {
			d.say(all(Refusal), "name-twice", f.where, "%.150q has the same name but for its folder, and devices "+
				"keep both in one: the last takes the place of the first", other)
		}
		seen[lower] = f.where
		if generic(lower) {
			d.say(levels{"", Warning, "", ""}, "name-generic", f.where, "WinTAK keeps the files of all servers in "+
				"one folder by name, and one of this name from another server takes its place: "+
				"name it after server and user")
		}
	}
}

// generic tells whether a name is one that tools give to every server's or user's file.
func generic(name string) bool {
	stem := strings.TrimSuffix(strings.TrimSuffix(name, ".p12"), ".pfx")
	switch strings.TrimRight(stem, "0123456789-_ ()") {
	case "truststore", "truststore-root", "truststore-intermediate", "truststore-int", "trust", "ca", "root", "rootca",
		"root-ca", "cacert", "ca-cert",
		"server", "takserver", "tak", "fts", "opentakserver", "client", "user", "admin", "webadmin", "cert",
		"certificate", "clientcert", "client-cert", "identity":
		return true
	}
	return false
}
