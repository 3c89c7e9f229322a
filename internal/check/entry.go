package check

import (
	"strings"
)

// keyOf takes the number off a key: "caLocation0" is "caLocation" and "0".
func keyOf(key string) (stem, index string) {
	stem = strings.TrimRight(key, "0123456789")
	return stem, key[len(stem):]
}

// classOf returns the class that ATAK reads an entry by, and "" for one that has nothing to do with connections.
func classOf(stem string) string {
	switch stem {
	case "count":
		return integerClass
	case "enabled", "useAuth", "compress", "cacheCreds", "enrollForCertificateWithTrust", "enrollUseTrust":
		return booleanClass
	case "description", "connectString", "caLocation", "caPassword", "certificateLocation", "clientPassword":
		return stringClass
	}
	return ""
}

// judgeEntries judges the form of the entries. What a connection does not need is worth a warning at most.
func (d *device) judgeEntries(p *preferences) {
	for _, n := range p.order {
		e := p.blocks[n.block][n.key]
		stem, _ := keyOf(n.key)
		want := classOf(stem)
		if n.block != streams && n.block != app {
			if want == stringClass && stem != "description" {
				d.say(levels{Refusal, Warning, Warning, Warning}, "key-block", p.where, "%.50s stands in the block "+
					"%.100q, which devices do not know: "+
					"connections belong in cot_streams, other keys in com.atakmap.app_preferences", n.key, n.block)
			}
			continue
		}
		// A setting of the app may have a name that begins alike.
		if n.block == app && stem != "caLocation" && stem != "caPassword" && stem != "certificateLocation" && stem != "clientPassword" {
			want = ""
		}
		grave := levels{Warning, "", "", ""}
		if want != "" {
			grave = levels{Refusal, Warning, Warning, Warning}
		}
		switch e.class {
		case stringClass, booleanClass, integerClass, "class java.lang.Long", "class java.lang.Float":
			if want != "" && e.class != want {
				d.say(grave, "entry-class", p.where, "the class of %.50s is %q, where ATAK reads %q", n.key, e.class,
					want)
			}
		default:
			d.say(grave, "entry-class", p.where, `the class of %.50s is %.50q, which ATAK does not know: it compares `+
				`with "class java.lang.String" word for word`, n.key, e.class)
		}
		if e.broken {
			d.say(grave, "entry-text", p.where, "the value of %.50s is in pieces or in a CDATA section, and ATAK "+
				"reads the first piece of text alone", n.key)
		}
		if want != "" && e.text != strings.TrimSpace(e.text) {
			d.say(all(Warning), "entry-blank", p.where, "the value of %.50s begins or ends with a blank, which "+
				"devices keep or drop as they like", n.key)
		}
		if e.twice {
			d.say(all(Warning), "entry-twice", p.where, "%.50s is there twice; the last one is read here", n.key)
		}
	}
}

// collectPasswords keeps what could open a file.
func (d *device) collectPasswords(p *preferences) {
	for _, n := range p.order {
		if stem, _ := keyOf(n.key); stem == "caPassword" || stem == "clientPassword" {
			if text, _ := p.get(n.block, n.key); text != "" {
				d.passwords = append(d.passwords, text)
			}
		}
	}
}
