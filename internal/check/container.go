package check

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const (
	maxPackage  = 64 << 20
	maxEntries  = 1024
	maxUnpacked = 32 << 20 // of all files that are looked at
	maxInner    = 16 << 20 // of a package within the package
	maxText     = 1 << 20  // of a .pref, .p12 or manifest
	maxOther    = 64 << 10 // of what else is looked through for a key
)

// container is a zip, unpacked as far as anything in it matters to a device.
type container struct {
	prefix string // of its files in findings: "" or "inner.zip: "
	files  []*file
	inner  []*container
	faults []fault
}

// file is an entry of a zip that is no folder.
type file struct {
	name string // with '/'
	data []byte
	read bool // false where it does not matter, or cannot be read, which is a fault then
}

// fault is what is the matter with a file whoever reads it.
type fault struct {
	levels            levels
	rule, where, text string
}

// open unpacks a package and the packages in it.
func open(data []byte) *container {
	left := maxUnpacked
	c := &container{}
	c.unpack(data, &left, true)
	return c
}

func (c *container) fault(l levels, rule, name, format string, args ...any) {
	c.faults = append(c.faults, fault{l, rule, c.where(name), fmt.Sprintf(format, args...)})
}

// where names a file in a finding.
func (c *container) where(name string) string {
	if name == "" {
		return strings.TrimSuffix(c.prefix, ": ")
	}
	return c.prefix + name
}

// unpack reads the directory of a zip, and believes none of its sizes.
func (c *container) unpack(data []byte, left *int, outermost bool) {
	const directoryEntry = "PK\x01\x02"
	switch {
	case len(data) > maxPackage:
		c.fault(all(Refusal), "zip-size", "", "it has %d bytes: a package is looked at up to %d", len(data), maxPackage)
		return
	case bytes.Count(data, []byte(directoryEntry)) > maxEntries:
		// The library makes an object of some hundred bytes of each before they can be counted.
		c.fault(all(Refusal), "zip-many", "", "it holds more than %d files, which no client's package does", maxEntries)
		return
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		c.fault(all(Refusal), "zip-unreadable", "", "it is no zip, or is cut short: fetch it again, or have it made "+
			"anew")
		return
	}
	seen := map[string]bool{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") || !c.vet(f) {
			continue
		}
		if seen[f.Name] {
			c.fault(all(Refusal), "zip-duplicate", f.Name, "the zip has this file twice, and devices take either")
			continue
		}
		seen[f.Name] = true
		e := &file{name: f.Name}
		e.data, e.read = c.content(f, left)
		c.files = append(c.files, e)
	}
	c.nest(left, outermost)
}

// vet judges an entry's name and kind. One that does not pass is left out.
func (c *container) vet(f *zip.File) bool {
	const encrypted = 1 // APPNOTE.TXT, 4.4.4
	path := strings.ReplaceAll(f.Name, `\`, "/")
	switch {
	case f.Name == "":
		c.fault(all(Refusal), "zip-path", "", "a file in it has no name")
	case strings.HasPrefix(path, "/") || strings.Contains("/"+path+"/", "/../") || len(path) > 1 && path[1] == ':':
		c.fault(all(Refusal), "zip-path", f.Name, "its name leads out of the package, as those of attackers do: do "+
			"not import it")
	case strings.ContainsFunc(f.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		c.fault(all(Refusal), "zip-path", f.Name, "its name has characters that cannot be seen")
	case !f.Mode().IsRegular():
		c.fault(all(Refusal), "zip-path", f.Name, "it is no regular file")
	case f.Flags&encrypted != 0:
		c.fault(all(Refusal), "zip-encrypted", f.Name, "it is encrypted by the zip itself, which no device reads: "+
			"pack it without")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		c.fault(all(Refusal), "zip-method", f.Name, "it is packed by method %d, and devices read stored and deflated "+
			"files", f.Method)
	default:
		return true
	}
	return false
}

// content unpacks a file and measures it meanwhile.
func (c *container) content(f *zip.File, left *int) ([]byte, bool) {
	limit, matters := maxOther, false
	switch {
	case isManifest(f.Name), ends(f.Name, ".pref"), ends(f.Name, ".p12"), ends(f.Name, ".pfx"):
		limit, matters = maxText, true
	case ends(f.Name, ".zip"):
		limit, matters = maxInner, true
	}
	limit = min(limit, *left)
	r, err := f.Open()
	if err != nil {
		c.fault(all(Refusal), "zip-damaged", f.Name, "it is damaged: fetch the package again, or have it made anew")
		return nil, false
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	*left -= min(len(data), limit)
	switch {
	case len(data) <= limit && err == nil:
		return data, true
	case !matters:
		// A map or a picture; too large to be a key.
	case len(data) > limit:
		c.fault(all(Refusal), "zip-bomb", f.Name, "it takes more than %d bytes unpacked, which no such file does: do "+
			"not import it", limit)
	default:
		c.fault(all(Refusal), "zip-damaged", f.Name, "it is damaged: fetch the package again, or have it made anew")
	}
	return nil, false
}

// nest opens the packages in the package.
func (c *container) nest(left *int, outermost bool) {
	for _, f := range c.files {
		if !ends(f.name, ".zip") || !f.read {
			continue
		}
		if !outermost {
			c.fault(all(Refusal), "zip-nested-deep", f.name, "it is a package in a package in a package, which no "+
				"device opens")
			continue
		}
		inner := &container{prefix: c.prefix + f.name + ": "}
		inner.unpack(f.data, left, false)
		c.inner = append(c.inner, inner)
	}
}

func ends(name, ending string) bool { return strings.HasSuffix(strings.ToLower(name), ending) }

// base is what stands after the last '/'. A '\' is a part of the name to Java's and Apple's readers.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
